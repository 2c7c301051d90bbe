/* Calls of OpenSSL that fail. */
#include "support/faults/wrap.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>

#define CALL(name, parameters, arguments) \
    WRAP(CALL_FAULT_CRYPTO, int, name, 0, parameters, arguments)
#define SIZE(name, parameters, arguments) \
    WRAP(CALL_FAULT_CRYPTO, int, name, -1, parameters, arguments)
#define MAKE(type, name, parameters, arguments) \
    WRAP(CALL_FAULT_CRYPTO, type, name, NULL, parameters, arguments)

/* -- digests and signatures -------------------------------------------------------------------- */

MAKE(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * l, const char *n, const char *p), (l, n, p))
MAKE(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())
CALL(EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *m, const OSSL_PARAM *p), (c, m, p))
CALL(EVP_DigestUpdate, (EVP_MD_CTX * c, const void *d, size_t s), (c, d, s))
CALL(EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *d, unsigned *s), (c, d, s))
CALL(EVP_DigestSignInit,
     (EVP_MD_CTX * c, EVP_PKEY_CTX **k, const EVP_MD *m, ENGINE *e, EVP_PKEY *p),
     (c, k, m, e, p))
CALL(EVP_DigestSignInit_ex,
     (EVP_MD_CTX * c,
      EVP_PKEY_CTX **k,
      const char *m,
      OSSL_LIB_CTX *l,
      const char *q,
      EVP_PKEY *p,
      const OSSL_PARAM *o),
     (c, k, m, l, q, p, o))
CALL(EVP_DigestSign,
     (EVP_MD_CTX * c, unsigned char *r, size_t *rs, const unsigned char *d, size_t s),
     (c, r, rs, d, s))
CALL(EVP_DigestVerifyInit,
     (EVP_MD_CTX * c, EVP_PKEY_CTX **k, const EVP_MD *m, ENGINE *e, EVP_PKEY *p),
     (c, k, m, e, p))
CALL(EVP_DigestVerifyInit_ex,
     (EVP_MD_CTX * c,
      EVP_PKEY_CTX **k,
      const char *m,
      OSSL_LIB_CTX *l,
      const char *q,
      EVP_PKEY *p,
      const OSSL_PARAM *o),
     (c, k, m, l, q, p, o))
CALL(EVP_DigestVerify,
     (EVP_MD_CTX * c, const unsigned char *g, size_t gs, const unsigned char *d, size_t s),
     (c, g, gs, d, s))

/* -- sealing ----------------------------------------------------------------------------------- */

MAKE(EVP_CIPHER *, EVP_CIPHER_fetch, (OSSL_LIB_CTX * l, const char *n, const char *p), (l, n, p))
MAKE(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), ())
CALL(EVP_CipherInit_ex2,
     (EVP_CIPHER_CTX * c,
      const EVP_CIPHER *m,
      const unsigned char *k,
      const unsigned char *i,
      int e,
      const OSSL_PARAM *p),
     (c, m, k, i, e, p))
CALL(EVP_CipherUpdate,
     (EVP_CIPHER_CTX * c, unsigned char *o, int *os, const unsigned char *d, int s),
     (c, o, os, d, s))
CALL(EVP_CipherFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *o, int *os), (c, o, os))
CALL(EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * c, int t, int a, void *p), (c, t, a, p))
CALL(RAND_bytes, (unsigned char *b, int s), (b, s))

/* -- keys -------------------------------------------------------------------------------------- */

MAKE(EVP_PKEY *,
     EVP_PKEY_new_raw_private_key,
     (int t, ENGINE *e, const unsigned char *k, size_t s),
     (t, e, k, s))
MAKE(EVP_PKEY *,
     EVP_PKEY_new_raw_public_key,
     (int t, ENGINE *e, const unsigned char *k, size_t s),
     (t, e, k, s))
CALL(EVP_PKEY_get_raw_public_key, (const EVP_PKEY *k, unsigned char *b, size_t *s), (k, b, s))
CALL(EVP_PKEY_get_group_name, (const EVP_PKEY *k, char *n, size_t s, size_t *r), (k, n, s, r))
CALL(EVP_PKEY_get_int_param, (const EVP_PKEY *k, const char *n, int *v), (k, n, v))
MAKE(BIO *, BIO_new, (const BIO_METHOD *m), (m))
MAKE(BIO *, BIO_new_mem_buf, (const void *b, int s), (b, s))
MAKE(EVP_PKEY *,
     PEM_read_bio_PrivateKey,
     (BIO * b, EVP_PKEY **k, pem_password_cb *p, void *u),
     (b, k, p, u))
CALL(PEM_write_bio_PKCS8PrivateKey,
     (BIO * b,
      const EVP_PKEY *k,
      const EVP_CIPHER *c,
      const char *t,
      int s,
      pem_password_cb *p,
      void *u),
     (b, k, c, t, s, p, u))

/* The one that takes what it makes after "...": a curve, or nothing. */
EVP_PKEY *__real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *l, const char *p, const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *l, const char *p, const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *l, const char *p, const char *type, ...)
{
    if (call_fault_now(CALL_FAULT_CRYPTO, "EVP_PKEY_Q_keygen"))
        return NULL;
    va_list args;
    va_start(args, type);
    bool curve = type[0] == 'E' && type[1] == 'C';
    EVP_PKEY *key = curve ? __real_EVP_PKEY_Q_keygen(l, p, type, va_arg(args, char *))
                          : __real_EVP_PKEY_Q_keygen(l, p, type);
    va_end(args);
    return key;
}

/* -- certificates and lists -------------------------------------------------------------------- */

MAKE(X509 *, X509_new, (void), ())
MAKE(X509_CRL *, X509_CRL_new, (void), ())
MAKE(X509_REVOKED *, X509_REVOKED_new, (void), ())
MAKE(X509_REVOKED *, X509_REVOKED_dup, (const X509_REVOKED *r), (r))
MAKE(X509 *, d2i_X509, (X509 * *x, const unsigned char **d, long s), (x, d, s))
MAKE(X509_CRL *, d2i_X509_CRL, (X509_CRL * *x, const unsigned char **d, long s), (x, d, s))
SIZE(i2d_X509, (const X509 *x, unsigned char **d), (x, d))
SIZE(i2d_X509_CRL, (const X509_CRL *x, unsigned char **d), (x, d))
SIZE(i2d_X509_PUBKEY, (const X509_PUBKEY *x, unsigned char **d), (x, d))
MAKE(EVP_PKEY *, X509_get0_pubkey, (const X509 *x), (x))
CALL(X509_set_version, (X509 * x, long v), (x, v))
CALL(X509_set_pubkey, (X509 * x, EVP_PKEY *k), (x, k))
CALL(X509_set_issuer_name, (X509 * x, const X509_NAME *n), (x, n))
CALL(X509_add_ext, (X509 * x, X509_EXTENSION *e, int l), (x, e, l))
CALL(X509_sign, (X509 * x, EVP_PKEY *k, const EVP_MD *m), (x, k, m))
CALL(X509_verify, (X509 * x, EVP_PKEY *k), (x, k))
CALL(X509_NAME_add_entry_by_txt,
     (X509_NAME * n, const char *f, int t, const unsigned char *b, int s, int l, int e),
     (n, f, t, b, s, l, e))
MAKE(X509_EXTENSION *,
     X509V3_EXT_conf_nid,
     (LHASH_OF(CONF_VALUE) * h, X509V3_CTX *c, int n, const char *v),
     (h, c, n, v))
CALL(X509_CRL_set_version, (X509_CRL * x, long v), (x, v))
CALL(X509_CRL_set_issuer_name, (X509_CRL * x, const X509_NAME *n), (x, n))
CALL(X509_CRL_set1_lastUpdate, (X509_CRL * x, const ASN1_TIME *t), (x, t))
CALL(X509_CRL_set1_nextUpdate, (X509_CRL * x, const ASN1_TIME *t), (x, t))
CALL(X509_CRL_add_ext, (X509_CRL * x, X509_EXTENSION *e, int l), (x, e, l))
CALL(X509_CRL_add1_ext_i2d, (X509_CRL * x, int n, void *v, int c, unsigned long f), (x, n, v, c, f))
CALL(X509_CRL_add0_revoked, (X509_CRL * x, X509_REVOKED *r), (x, r))
CALL(X509_CRL_sort, (X509_CRL * x), (x))
CALL(X509_CRL_sign, (X509_CRL * x, EVP_PKEY *k, const EVP_MD *m), (x, k, m))
CALL(X509_CRL_verify, (X509_CRL * x, EVP_PKEY *k), (x, k))
CALL(X509_REVOKED_set_serialNumber, (X509_REVOKED * r, ASN1_INTEGER *s), (r, s))
CALL(X509_REVOKED_set_revocationDate, (X509_REVOKED * r, ASN1_TIME *t), (r, t))
MAKE(ASN1_TIME *, ASN1_TIME_set, (ASN1_TIME * t, time_t v), (t, v))
CALL(ASN1_TIME_to_tm, (const ASN1_TIME *t, struct tm *p), (t, p))
MAKE(ASN1_INTEGER *, ASN1_INTEGER_new, (void), ())
CALL(ASN1_INTEGER_set_uint64, (ASN1_INTEGER * i, uint64_t v), (i, v))
CALL(ASN1_INTEGER_get_uint64, (uint64_t * v, const ASN1_INTEGER *i), (v, i))
MAKE(BIGNUM *, BN_bin2bn, (const unsigned char *b, int s, BIGNUM *n), (b, s, n))
MAKE(ASN1_INTEGER *, BN_to_ASN1_INTEGER, (const BIGNUM *n, ASN1_INTEGER *i), (n, i))

/* -- TLS --------------------------------------------------------------------------------------- */

MAKE(SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *m), (m))
WRAP(CALL_FAULT_CRYPTO, long, SSL_CTX_ctrl, 0, (SSL_CTX * c, int n, long l, void *p), (c, n, l, p))
CALL(SSL_CTX_set_ciphersuites, (SSL_CTX * c, const char *s), (c, s))
CALL(SSL_CTX_set_num_tickets, (SSL_CTX * c, size_t n), (c, n))
CALL(SSL_CTX_set_max_early_data, (SSL_CTX * c, uint32_t n), (c, n))
CALL(SSL_CTX_set_recv_max_early_data, (SSL_CTX * c, uint32_t n), (c, n))
/* Zero is its success. */
WRAP(CALL_FAULT_CRYPTO,
     int,
     SSL_CTX_set_alpn_protos,
     1,
     (SSL_CTX * c, const unsigned char *p, unsigned s),
     (c, p, s))
CALL(SSL_CTX_use_certificate, (SSL_CTX * c, X509 *x), (c, x))
CALL(SSL_CTX_use_PrivateKey, (SSL_CTX * c, EVP_PKEY *k), (c, k))
MAKE(SSL *, SSL_new, (SSL_CTX * c), (c))
MAKE(BIO_METHOD *, BIO_meth_new, (int t, const char *n), (t, n))
CALL(BIO_meth_set_read_ex, (BIO_METHOD * m, int (*f)(BIO *, char *, size_t, size_t *)), (m, f))
CALL(BIO_meth_set_write_ex,
     (BIO_METHOD * m, int (*f)(BIO *, const char *, size_t, size_t *)),
     (m, f))
CALL(BIO_meth_set_ctrl, (BIO_METHOD * m, long (*f)(BIO *, int, long, void *)), (m, f))
CALL(BIO_meth_set_create, (BIO_METHOD * m, int (*f)(BIO *)), (m, f))
CALL(SSL_export_keying_material,
     (SSL * s,
      unsigned char *o,
      size_t os,
      const char *l,
      size_t ls,
      const unsigned char *c,
      size_t cs,
      int u),
     (s, o, os, l, ls, c, cs, u))
