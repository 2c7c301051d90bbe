/* A disk in memory, as a SQLite VFS, that loses power and fails at a chosen operation.
 *
 * What was written and not synced stays apart.  At a power cut every such write is kept, dropped or
 * torn (in sectors of 512 bytes) by the seed, each for itself, so that later ones may survive
 * earlier ones.  Files that were open at the cut are dead: everything on them fails with
 * SQLITE_IOERR and changes nothing, as a crashed process cannot write while it is being closed.
 * Opening anew sees what survived.  One VFS for each node; the same seed gives the same disk.
 */
#ifndef COMITY_TESTS_VFS_FAULT_H
#define COMITY_TESTS_VFS_FAULT_H

#include "base/span.h"

struct vfs_fault;

enum vfs_fault_kind {
    VFS_FAULT_NONE,
    VFS_FAULT_EIO,      /* this operation fails with an I/O error (a sync: as fsync does) */
    VFS_FAULT_FULL,     /* this write finds the disk full, and so do all after it */
    VFS_FAULT_POWER_CUT /* instead of this operation */
};

/* Registers a VFS of this name (not as the default one); NULL when out of memory. */
struct vfs_fault *vfs_fault_new(const char *name, uint64_t seed);
void vfs_fault_free(struct vfs_fault *vfs); /* all its files must be closed */

/* Fails the nth operation that changes the disk (write, truncate, sync, delete; 1 = the next). */
void vfs_fault_at(struct vfs_fault *vfs, enum vfs_fault_kind kind, uint64_t nth);
bool vfs_fault_hit(const struct vfs_fault *vfs);            /* it was reached since vfs_fault_at */
uint64_t vfs_fault_operations(const struct vfs_fault *vfs); /* so far */
/* Now.  Then close what was open, and open again. */
void vfs_fault_power_cut(struct vfs_fault *vfs);
/* The whole disk as it is (synced or not), for a clone or an old copy; vfs_fault_restore puts it
 * back and kills open files. */
struct vfs_fault_image;
struct vfs_fault_image *vfs_fault_save(const struct vfs_fault *vfs);
void vfs_fault_restore(struct vfs_fault *vfs, const struct vfs_fault_image *image);
void vfs_fault_image_free(struct vfs_fault_image *image);

/* One file's bytes as a reader sees them now; empty when there is none.  Until the next write. */
struct span vfs_fault_content(const struct vfs_fault *vfs, const char *path);
bool vfs_fault_exists(const struct vfs_fault *vfs, const char *path);
/* How often the bytes stand in all files, and in all that was ever written (recorded from
 * vfs_fault_record on). */
size_t vfs_fault_count(const struct vfs_fault *vfs, struct span bytes);
void vfs_fault_record(struct vfs_fault *vfs);
size_t vfs_fault_count_ever(const struct vfs_fault *vfs, struct span bytes);

#endif
