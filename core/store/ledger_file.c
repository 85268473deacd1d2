#include "store/ledger_file.h"

#include <stdio.h>
#include <sys/stat.h>

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
