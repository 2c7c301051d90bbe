# What is wrapped; each has its function in this folder, or the link fails.
set(COMITY_WRAPPED_CALLS
    ASN1_INTEGER_get_uint64 ASN1_INTEGER_new ASN1_INTEGER_set_uint64 ASN1_TIME_set ASN1_TIME_to_tm
    BIO_meth_new BIO_meth_set_create BIO_meth_set_ctrl BIO_meth_set_read_ex BIO_meth_set_write_ex
    BIO_new BIO_new_mem_buf BN_bin2bn BN_to_ASN1_INTEGER EVP_CIPHER_CTX_ctrl EVP_CIPHER_CTX_new
    EVP_CIPHER_fetch EVP_CipherFinal_ex EVP_CipherInit_ex2 EVP_CipherUpdate EVP_DigestFinal_ex
    EVP_DigestInit_ex2 EVP_DigestSign EVP_DigestSignInit EVP_DigestSignInit_ex EVP_DigestUpdate
    EVP_DigestVerify EVP_DigestVerifyInit EVP_DigestVerifyInit_ex EVP_MD_CTX_new EVP_MD_fetch
    EVP_PKEY_Q_keygen EVP_PKEY_get_group_name EVP_PKEY_get_int_param EVP_PKEY_get_raw_public_key
    EVP_PKEY_new_raw_private_key EVP_PKEY_new_raw_public_key PEM_read_bio_PrivateKey
    PEM_write_bio_PKCS8PrivateKey RAND_bytes SSL_CTX_ctrl SSL_CTX_new SSL_CTX_set_alpn_protos
    SSL_CTX_set_ciphersuites SSL_CTX_set_max_early_data SSL_CTX_set_num_tickets
    SSL_CTX_set_recv_max_early_data SSL_CTX_use_PrivateKey SSL_CTX_use_certificate
    SSL_export_keying_material SSL_new X509V3_EXT_conf_nid X509_CRL_add0_revoked
    X509_CRL_add1_ext_i2d X509_CRL_add_ext X509_CRL_new X509_CRL_set1_lastUpdate
    X509_CRL_set1_nextUpdate X509_CRL_set_issuer_name X509_CRL_set_version X509_CRL_sign
    X509_CRL_sort X509_CRL_verify X509_NAME_add_entry_by_txt X509_REVOKED_dup X509_REVOKED_new
    X509_REVOKED_set_revocationDate X509_REVOKED_set_serialNumber X509_add_ext X509_get0_pubkey
    X509_new X509_set_issuer_name X509_set_pubkey X509_set_version X509_sign X509_verify chmod
    close connect d2i_X509 d2i_X509_CRL fstat fsync getrandom getrlimit getsockopt i2d_X509
    i2d_X509_CRL i2d_X509_PUBKEY mkdir open read realpath recv send socket sqlite3_errcode
    sqlite3_exec sqlite3_extended_errcode sqlite3_prepare_v2 sqlite3_prepare_v3 sqlite3_step
    sqlite3_wal_checkpoint_v2 stat unlink write)
set(COMITY_WRAPPED_LOOP_CALLS
    uv_accept uv_async_init uv_fileno uv_getaddrinfo uv_listen uv_loop_init uv_pipe_bind
    uv_read_start uv_signal_init uv_signal_start
    uv_tcp_bind uv_tcp_connect uv_tcp_getpeername uv_tcp_getsockname uv_tcp_init
    uv_timer_start uv_write)
