#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/input.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/sealing.h"
#include "store/sshsig/signers.h"
#include "store/sshsig/sshsig.h"

extern char **environ;

/* ---- ssh-keygen: it asks for passphrases on the terminal, agents and hardware by itself. */

static int spawn(const char *key, int in_fd, int out_fd, pid_t *pid)
{
    const char *const words[] = {"ssh-keygen", "-q", "-Y", "sign", "-n", MANIFEST_NAMESPACE, "-f", key, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    int error = posix_spawnp(pid, words[0], &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static bool read_all(int fd, struct buf *to)
{
    for (;;) {
        ssize_t got = read(fd, buf_reserve(to, LIMIT_SSHSIG_BYTES), LIMIT_SSHSIG_BYTES);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        buf_grew(to, (size_t)got);
        if (buf_len(to) > LIMIT_SSHSIG_BYTES) return false;
    }
}

static bool run(const char *key, int in_fd, struct buf *to, struct fault *why)
{
    int fds[2], status = -1;
    pid_t pid;
    if (pipe2(fds, O_CLOEXEC) != 0) return fault_set(why, FAULT_INTERNAL, "pipe: %s", strerror(errno));
    int error = spawn(key, in_fd, fds[1], &pid);
    close(fds[1]);
    bool is_read = error == 0 && read_all(fds[0], to);
    close(fds[0]);
    if (error) return fault_set(why, FAULT_INTERNAL, "ssh-keygen: %s (Debian: openssh-client)", strerror(error));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return (is_read && WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           fault_set(why, FAULT_INTERNAL, "ssh-keygen did not sign");
}

static bool sign(const struct sealing *s, const char *key, struct buf *to, struct fault *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" MANIFEST_FILE, s->folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    bool is_good = run(key, fd, to, why);
    close(fd);
    return is_good;
}

/* ---- Whose it is. */

static struct signers *read_signers(const struct sealing *s, struct fault *why)
{
    struct input in;
    struct buf text;
    if (!s->config->gate_signers.len) {
        fault_set(why, FAULT_INTERNAL, "moongate.lua names nobody who may sign: gate = { signers = … }; or --as NAME");
        return NULL;
    }
    buf_init(&text);
    bool is_good = input_open(&in, s->config->gate_signers.ptr, why) &&
                   input_all(&in, LIMIT_SIGNERS_BYTES, &text, why);
    input_close(&in);
    struct signers *all = is_good ? signers_read(buf_slice(&text)) : NULL;
    buf_clear(&text);
    return all;
}

static bool name_by_key(const struct signers *all, struct slice key, char *to, size_t size, struct fault *why)
{
    struct slice rest;
    int64_t now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    fault_set(why, FAULT_INTERNAL, "the key is not among the signers: --as NAME signs nevertheless");
    for (size_t i = 0; i < signers_count(all); i++) {
        const struct signer *line = signers_at(all, i);
        if (!slice_equal(line->key, key) || !signer_may(line, SLICE(MANIFEST_NAMESPACE), now_s, why)) continue;
        snprintf(to, size, "%.*s", SLICE_FMT(slice_split(line->principals, ',', &rest)));
        return true;
    }
    return false;
}

static bool find_name(const struct sealing *s, struct slice signature, char *to, size_t size, struct fault *why)
{
    struct arena arena;
    struct sshsig sig;
    struct signers *all = read_signers(s, why);
    arena_init(&arena);
    bool is_good = all && sshsig_read(signature, &arena, &sig, why) && name_by_key(all, sig.key, to, size, why);
    arena_clear(&arena);
    signers_free(all);
    return is_good;
}

/* ---- All of it. */

/* What is signed is what lies there: a manifest of other files would be signed for nothing. */
static bool is_current(const struct sealing *s, struct fault *why)
{
    struct buf text;
    struct manifest m;
    buf_init(&text);
    bool is_good = sealing_read(s, MANIFEST_FILE, &text, why) && manifest_read(buf_slice(&text), &m, why) &&
                   (manifest_fits(&m, buf_slice(&text), s->bundle) ||
                    fault_set(why, FAULT_INTERNAL, MANIFEST_FILE " is of other files than these"));
    buf_clear(&text);
    return is_good;
}

static bool keep(const struct sealing *s, const char *name, struct slice signature, struct fault *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" MANIFEST_SIGNATURES, s->folder);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    snprintf(path, sizeof path, MANIFEST_SIGNATURES "/%s.sig", name);
    return sealing_write(s, path, signature, why);
}

static int sign_as(const struct sealing *s, const char *key, const char *as, bool is_json)
{
    char name[LIMIT_SIGNER_NAME_BYTES + 1];
    struct fault why = {0};
    struct buf signature;
    buf_init(&signature);
    snprintf(name, sizeof name, "%s", as ? as : "");
    bool is_current_text = is_current(s, &why);
    bool is_good = is_current_text && sign(s, key, &signature, &why) &&
                   (as || find_name(s, buf_slice(&signature), name, sizeof name, &why)) &&
                   keep(s, name, buf_slice(&signature), &why);
    buf_clear(&signature);
    if (!is_good) return cli_fault(&why, is_current_text ? NULL : "`moongate bundle manifest` makes it");
    if (is_json)
        cli_print_json(json_pack("{s:s, s:s}", "principal", name, "digest", bundle_digest(s->bundle)));
    else
        printf("%s/" MANIFEST_SIGNATURES "/%s.sig\n", s->folder, name);
    return CLI_OK;
}

int command_bundle_sign(int argc, char **argv)
{
    const char *key = NULL, *as = NULL;
    struct common_options common;
    struct sealing s;
    const struct option options[] = {
        {"--key", OPTION_TEXT, &key}, {"--as", OPTION_TEXT, &as}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"bundle", "sign"});
    if (!key)
        return cli_usage_error("moongate bundle sign --key ~/.ssh/id_ed25519", "--key names the key to sign with");
    if (as && !signers_is_principal(slice_str(as)))
        return cli_usage_error("a principal of the signers: letters, digits, . _ @ + -", "--as %s is no name", as);
    if (!sealing_open(&s, common.config)) return CLI_USAGE;
    int code = sign_as(&s, key, as, common.is_json);
    sealing_close(&s);
    return code;
}
