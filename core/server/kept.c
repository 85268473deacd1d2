#include "server/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/input.h"
#include "base/limits.h"

#define BESIDE ".new" /* what is being written, and of a process that was killed there */

void kept_path(const char *data_dir, uint64_t serial, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/" KEPT_FOLDER "/%" PRIu64, data_dir, serial);
}

bool kept_is_there(const char *data_dir, uint64_t serial)
{
    char path[PATH_MAX];
    struct stat st;
    kept_path(data_dir, serial, path);
    return serial && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- Taking one away. Links are taken away, and not followed. */

#define DEPTH_MAX 16u

static void remove_all(int at, const char *name, unsigned depth);

static void empty(int fd, unsigned depth)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_all(dirfd(dir), entry->d_name, depth + 1);
    }
    closedir(dir);
}

static void remove_all(int at, const char *name, unsigned depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && depth < DEPTH_MAX)
        empty(fd, depth);
    else if (fd >= 0)
        close(fd);
    unlinkat(at, name, fd >= 0 ? AT_REMOVEDIR : 0);
}

/* ---- Writing one. */

static bool write_file(int at, const char *name, struct slice text)
{
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool is_good = fd >= 0;
    while (is_good && text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR) continue;
        is_good = n > 0;
        if (is_good) text = slice_of(text.ptr + n, text.len - (size_t)n);
    }
    is_good = is_good && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return is_good;
}

/* "lib/dates.lua": the folders on its way are made. */
static bool write_below(int at, struct slice path, struct slice text)
{
    char name[LIMIT_POLICY_PATH_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", SLICE_FMT(path));
    for (char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(at, name, 0700) != 0 && errno != EEXIST) return false;
        *slash = '/';
    }
    return write_file(at, name, text);
}

static bool copy_file(int at, const char *name, const char *folder, const char *from, size_t most, struct fault *why)
{
    char path[PATH_MAX];
    struct input in;
    struct buf text;
    snprintf(path, sizeof path, "%s/%s", folder, from);
    buf_init(&text);
    bool is_good = input_open(&in, path, why) && input_all(&in, most, &text, why);
    input_close(&in);
    is_good = is_good && write_file(at, name, buf_slice(&text));
    buf_clear(&text);
    return is_good;
}

static bool is_signature(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".sig") == 0;
}

static bool copy_signatures(int at, const char *folder, struct fault *why)
{
    char path[PATH_MAX], from[PATH_MAX];
    bool is_good = true;
    snprintf(path, sizeof path, "%s/" MANIFEST_SIGNATURES, folder);
    DIR *dir = opendir(path);
    if (!dir) return true;
    for (struct dirent *entry; is_good && (entry = readdir(dir));) {
        if (!is_signature(entry->d_name)) continue;
        int n = snprintf(from, sizeof from, MANIFEST_SIGNATURES "/%s", entry->d_name);
        is_good = n < (int)sizeof from && copy_file(at, entry->d_name, folder, from, LIMIT_SSHSIG_BYTES, why);
    }
    closedir(dir);
    return is_good;
}

static bool fill(int at, const char *folder, const struct bundle *bundle, struct slice signers, struct fault *why)
{
    bool is_good = mkdirat(at, MANIFEST_SIGNATURES, 0700) == 0 && write_file(at, KEPT_SIGNERS, signers) &&
                   copy_file(at, MANIFEST_FILE, folder, MANIFEST_FILE, LIMIT_POLICY_BUNDLE_BYTES, why);
    int signatures = is_good ? openat(at, MANIFEST_SIGNATURES, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    is_good = signatures >= 0 && copy_signatures(signatures, folder, why);
    if (signatures >= 0) close(signatures);
    for (size_t i = 0; is_good && i < bundle_count(bundle); i++)
        is_good = write_below(at, bundle_at(bundle, i)->path, bundle_at(bundle, i)->text);
    return is_good && fsync(at) == 0;
}

static int open_folder(const char *data_dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" KEPT_FOLDER, data_dir);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool put(int all, const char *name, const char *beside_path, const struct accepted *accepted, const char *folder,
                const struct bundle *bundle, struct slice signers, struct fault *why)
{
    remove_all(all, BESIDE, 0);
    if (mkdirat(all, BESIDE, 0700) != 0) return false;
    int at = openat(all, BESIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool is_good = at >= 0 && fill(at, folder, bundle, signers, why) && accepted_write(beside_path, accepted, why);
    if (at >= 0) close(at);
    if (!is_good) return false;
    remove_all(all, name, 0);
    return renameat(all, BESIDE, all, name) == 0 && fsync(all) == 0;
}

bool kept_write(const char *data_dir, const char *folder, const struct bundle *bundle, const struct accepted *accepted,
                struct slice signers, struct fault *why)
{
    char name[24], beside[PATH_MAX];
    *why = (struct fault){.code = FAULT_NONE};
    snprintf(name, sizeof name, "%" PRIu64, accepted->serial);
    snprintf(beside, sizeof beside, "%s/" KEPT_FOLDER "/" BESIDE, data_dir);
    int all = open_folder(data_dir);
    bool is_good = all >= 0 && put(all, name, beside, accepted, folder, bundle, signers, why);
    int error = errno;
    if (all >= 0) close(all);
    if (is_good || why->code != FAULT_NONE) return is_good;
    return fault_set(why, FAULT_INTERNAL, "%s/" KEPT_FOLDER "/%s: %s", data_dir, name, strerror(error));
}

/* ---- Which there are. */

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

size_t kept_list(const char *data_dir, uint64_t serials[KEPT_LIST_MAX])
{
    char path[PATH_MAX];
    size_t count = 0;
    uint64_t serial;
    snprintf(path, sizeof path, "%s/" KEPT_FOLDER, data_dir);
    DIR *dir = opendir(path);
    if (!dir) return 0;
    for (struct dirent *entry; count < KEPT_LIST_MAX && (entry = readdir(dir));) {
        if (slice_to_u64(slice_str(entry->d_name), &serial) && serial) serials[count++] = serial;
    }
    closedir(dir);
    qsort(serials, count, sizeof serials[0], newest_first);
    return count;
}

void kept_prune(const char *data_dir, uint64_t in_force)
{
    uint64_t serials[KEPT_LIST_MAX];
    char name[24];
    size_t count = kept_list(data_dir, serials);
    int all = count > KEPT_MAX ? open_folder(data_dir) : -1;
    for (size_t i = KEPT_MAX; all >= 0 && i < count; i++) {
        snprintf(name, sizeof name, "%" PRIu64, serials[i]);
        if (serials[i] != in_force) remove_all(all, name, 0);
    }
    if (all >= 0) close(all);
}
