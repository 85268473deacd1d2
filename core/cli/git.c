#include "cli/git.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

extern char **environ;

#define READ_BYTES 65536u

/* All that the child says, up to what a bundle may hold; false when reading fails or it is more. */
static bool read_all(int fd, struct buf *out)
{
    for (;;) {
        ssize_t got = read(fd, buf_reserve(out, READ_BYTES), READ_BYTES);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        buf_grew(out, (size_t)got);
        if (buf_len(out) > LIMIT_POLICY_BUNDLE_BYTES) return false;
    }
}

static int spawn_git(const char *const *words, int out_fd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    int error = posix_spawnp(pid, "git", &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* words: argv, ends with NULL. Appends its output; false when it did not end well. */
static bool run_git(const char *const *words, struct buf *out, struct fault *why)
{
    int fds[2], status = -1;
    pid_t pid;
    if (pipe2(fds, O_CLOEXEC) != 0) return fault_set(why, FAULT_INTERNAL, "pipe: %s", strerror(errno));
    int error = spawn_git(words, fds[1], &pid);
    close(fds[1]);
    bool ok = error == 0 && read_all(fds[0], out);
    close(fds[0]);
    if (error) return fault_set(why, FAULT_INTERNAL, "git: %s", strerror(error));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!ok) return fault_set(why, FAULT_INTERNAL, "git said more than a policy folder may hold");
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || fault_set(why, FAULT_INTERNAL, "git found nothing there");
}

struct listing {
    const char *dir;
    struct arena arena;
    struct bundle_file files[LIMIT_POLICY_FILES];
    size_t count;
};

static bool read_blob(struct listing *l, struct slice path, struct slice id, struct fault *why)
{
    struct buf text;
    buf_init(&text);
    struct slice blob = arena_printf(&l->arena, "%.*s%c", SLICE_FMT(id), '\0');
    bool ok = run_git((const char *[]){"git", "-C", l->dir, "cat-file", "blob", blob.ptr, NULL}, &text, why);
    if (ok) {
        l->files[l->count++] =
            (struct bundle_file){arena_copy(&l->arena, path), arena_copy(&l->arena, buf_slice(&text))};
    }
    buf_clear(&text);
    return ok;
}

static bool is_policy(struct slice path)
{
    struct slice end = SLICE(".lua");
    return path.len > end.len && memcmp(path.ptr + path.len - end.len, end.ptr, end.len) == 0 &&
           !slice_starts(path, SLICE("specs/"));
}

/* "100644 blob <id>\t<path>" */
static bool read_entry(struct listing *l, struct slice entry, struct fault *why)
{
    struct slice path, rest, head = slice_split(entry, '\t', &path);
    slice_split(head, ' ', &rest);
    struct slice type = slice_split(rest, ' ', &rest);
    if (!slice_equal(type, SLICE("blob")) || !is_policy(path)) return true;
    if (l->count == LIMIT_POLICY_FILES)
        return fault_set(why, FAULT_INTERNAL, "more than %u policy files", LIMIT_POLICY_FILES);
    return read_blob(l, path, rest, why);
}

static bool read_entries(struct listing *l, const char *rev, struct fault *why)
{
    struct buf out;
    buf_init(&out);
    bool ok = run_git((const char *[]){"git", "-C", l->dir, "ls-tree", "-r", "-z", rev, ".", NULL}, &out, why);
    struct slice rest = buf_slice(&out);
    while (ok && rest.len) {
        struct slice entry = slice_split(rest, '\0', &rest);
        ok = read_entry(l, entry, why);
    }
    buf_clear(&out);
    return ok;
}

static bool is_revision(const char *rev, struct fault *why)
{
    return (*rev != '-' && *rev != '\0') || fault_set(why, FAULT_INTERNAL, "`%s` is no revision", rev);
}

bool git_file(const char *path, const char *rev, struct buf *out, struct fault *why)
{
    char dir[PATH_MAX], object[PATH_MAX + 64];
    const char *slash = strrchr(path, '/');
    if (!is_revision(rev, why)) return false;
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    snprintf(object, sizeof object, "%s:./%s", rev, slash ? slash + 1 : path);
    return run_git((const char *[]){"git", "-C", *dir ? dir : "/", "cat-file", "blob", object, NULL}, out, why);
}

struct bundle *git_bundle(const char *dir, const char *rev, struct fault *why)
{
    static struct listing listing; /* large; one command asks once */
    struct bundle *bundle = NULL;
    if (!is_revision(rev, why)) return NULL;
    listing = (struct listing){.dir = dir};
    arena_init(&listing.arena);
    if (!read_entries(&listing, rev, why)) {
        struct fault inner = *why;
        fault_set(why, FAULT_INTERNAL, "%s at %s: %s", dir, rev, fault_message(&inner));
    } else if (listing.count == 0) {
        fault_set(why, FAULT_INTERNAL, "%s at %s: no policies there", dir, rev);
    } else {
        bundle = bundle_of(listing.files, listing.count, why);
    }
    arena_clear(&listing.arena);
    return bundle;
}
