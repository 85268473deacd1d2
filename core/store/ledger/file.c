#include "store/ledger/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/ledger/schema.h"

char *ledger_file_path(const char *data_dir)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" LEDGER_FILE, data_dir);
    char *text = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    return text;
}

static bool is_own(int fd, const char *path, struct fault *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return fault_set(why, FAULT_INTERNAL, "%s is not a file of this user's own: move it away, or chown it", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return fault_set(why, FAULT_INTERNAL, "others may write to %s (mode %04o): chmod 600", path,
                         (unsigned)st.st_mode & 07777);
    return true;
}

bool ledger_file_make(const char *path, struct fault *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    bool is_good = is_own(fd, path, why);
    close(fd);
    return is_good;
}

static const char *const suffixes[LEDGER_FILE_PARTS] = {"", "-wal", "-shm"};

/* Zeros: there is none. */
static void look(const char *path, int part, uint64_t *device, uint64_t *inode)
{
    char name[4096];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", path, suffixes[part]);
    bool is_there = stat(name, &st) == 0;
    *device = is_there ? st.st_dev : 0;
    *inode = is_there ? st.st_ino : 0;
}

void ledger_file_note(struct ledger_file *files, const char *path)
{
    for (int part = 0; part < LEDGER_FILE_PARTS; part++)
        look(path, part, &files->device[part], &files->inode[part]);
}

bool ledger_file_is_same(const struct ledger_file *files, const char *path, struct fault *why)
{
    for (int part = 0; part < LEDGER_FILE_PARTS; part++) {
        uint64_t device, inode;
        look(path, part, &device, &inode);
        if (device == files->device[part] && inode == files->inode[part]) continue;
        return fault_set(why, FAULT_INTERNAL,
                         "%s%s: it was %s while the ledger writes to it: put it back, or start the gateway anew", path,
                         suffixes[part], inode ? "replaced" : "removed");
    }
    return true;
}
