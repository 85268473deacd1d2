#include "store/placing.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* "<base><end>", to be freed. */
static char *join(const char *base, const char *end)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s%s", base, end);
    char *text = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    return text;
}

static bool fail_system(const char *path, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
}

static bool sync_path(const char *path, int flags, struct fault *why)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool is_good = (fd >= 0 && fsync(fd) == 0) || fail_system(path, why);
    if (fd >= 0) close(fd);
    return is_good;
}

/* A rename is on the disk when its folder is. */
static bool sync_folder_of(const char *path, struct fault *why)
{
    char *folder = mem_strdup(path), *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    bool is_good = sync_path(slash ? folder : ".", O_RDONLY | O_DIRECTORY, why);
    mem_free(folder);
    return is_good;
}

char *placing_part(const char *to)
{
    return join(to, ".part");
}

bool placing_begin(const char *part, struct fault *why)
{
    unlink(part);
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return fail_system(part, why);
    close(fd);
    return true;
}

bool placing_sync(const char *part, struct fault *why)
{
    return sync_path(part, O_RDWR, why);
}

bool placing_refuse_existing(const char *path, const char *cure, struct fault *why)
{
    struct stat st;
    if (lstat(path, &st) != 0) return true;
    return fault_set(why, FAULT_INTERNAL, "%s is there already: %s", path, cure);
}

/* Folders that cannot rename without overwriting (NFS) are looked at before. */
bool placing_new(const char *part, const char *to, struct fault *why)
{
    bool is_done = renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_NOREPLACE) == 0;
    if (!is_done && (errno == EINVAL || errno == ENOSYS) && access(to, F_OK) != 0) is_done = rename(part, to) == 0;
    if (is_done) return sync_folder_of(to, why);
    fail_system(to, why);
    unlink(part);
    return false;
}

/* What lies beside the file would be taken for a log of the one that takes its place, also where the file itself is
 * gone. What it has goes into the old file first, so that this is whole until it is replaced; where that fails it is
 * damaged, and the log just goes. */
static void drop_log(const char *path)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal"};
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    sqlite3_close(db);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *name = join(path, ends[i]);
        unlink(name);
        mem_free(name);
    }
}

bool placing_over(const char *part, const char *to, struct fault *why)
{
    drop_log(to);
    bool is_good = sync_folder_of(to, why); /* the log is never there again */
    if (is_good && rename(part, to) == 0) return sync_folder_of(to, why);
    if (is_good) fail_system(to, why);
    unlink(part);
    return false;
}
