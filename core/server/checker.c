#include "server/checker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/api/providers.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "server/check_kept.h"
#include "server/check_policies.h"
#include "server/check_signed.h"
#include "server/config.h"
#include "server/child.h"
#include "store/registry/registry.h"
#include "store/section/file.h"
#include "store/snapshot.h"

#define SEND_TIMEOUT_MS 5000u

/* What the forked process sends: that the specs begin, with their time in ms, and each one's name; then the rest, each
 * at most once but sections, CHECKED last. */
enum {
    CHECKED_CONFIG = 1,
    CHECKED_BUNDLE,
    CHECKED_SECTION, /* of each */
    CHECKED_RULES,
    CHECKED_JWKS,
    CHECKED_REPORT,
    CHECKED,
    CHECKED_SPECS,
    CHECKED_SPEC
};

#define SPEC_NAME_BYTES 200u

struct checked {
    uint32_t is_good;
    uint32_t policy_files;
    uint64_t accept_serial;
    int64_t accept_at_s;
    char digest[65];
};

struct checker {
    struct pipe *pipe;
    struct loop_timer timeout;
    struct loop *loop;
    pid_t pid;
    bool is_late, is_whole;
    uint32_t specs_ms;                   /* 0: no specs have begun */
    char spec_name[SPEC_NAME_BYTES + 1]; /* the last that did */
    struct check_result result;
    void (*on_checked)(void *arg, struct check_result *result);
    void *arg;
};

static void result_init(struct check_result *result)
{
    *result = (struct check_result){.config_fd = -1, .bundle_fd = -1, .rules_fd = -1, .report = report_new()};
}

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void drop_sections(struct check_result *result)
{
    while (result->section_count)
        close(result->sections[--result->section_count]);
}

void check_result_clear(struct check_result *result)
{
    close_fd(&result->config_fd);
    close_fd(&result->bundle_fd);
    close_fd(&result->rules_fd);
    drop_sections(result);
    mem_free(result->jwks_sources);
    result->jwks_sources = NULL;
    report_free(result->report);
    result->report = NULL;
}

/* ---- The work. */

static int seal(const char *name, struct buf *bytes, struct report *report)
{
    struct fault why;
    int fd = pipe_memfd_new(name, buf_slice(bytes), &why);
    if (fd < 0) report_say(report, FINDING_OTHER_ERROR, "%s: %s", name, fault_message(&why));
    if (buf_len(bytes)) explicit_bzero(buf_ptr(bytes), buf_len(bytes));
    buf_clear(bytes);
    return fd;
}

/* All errors at once: what the configuration has against itself is no reason to keep quiet about the policies. */
static void check_policies_anyway(const char *config_path, struct check_result *result)
{
    struct buf unused;
    char *folder = config_policies_dir(config_path);
    buf_init(&unused);
    snprintf(result->policies_dir, sizeof result->policies_dir, "%s", folder);
    if (access(folder, R_OK) == 0) check_policies(folder, &(struct check_against){.in_force_fd = -1}, &unused, result);
    buf_clear(&unused);
    mem_free(folder);
}

/* What it finds stands in the report, which decides. */
static void run_gate(const struct config *config, const struct check_job *job, struct slice bundle,
                     struct check_result *result)
{
    if (!config->has_spec_gate) return;
    if (job->on_specs) job->on_specs(job->arg, config->gate_timeout_ms);
    check_specs(config->policies_dir.ptr, bundle, result->report, job->on_spec, job->arg);
}

static bool check_bundle(const struct config *config, const struct check_job *job, struct buf *bundle,
                         struct check_result *result)
{
    int in_force_fd = job->has_in_force ? job->in_force_fd : -1;
    struct check_against against = {config->settings, config->postgres_url.len > 0, in_force_fd};
    if (job->kept_serial) return kept_check(config, job->kept_serial, &against, bundle, result);
    bool is_loaded = check_policies(config->policies_dir.ptr, &against, bundle, result);
    if (is_loaded) {
        if (!job->is_offline) check_signed(config, buf_slice(bundle), result);
        run_gate(config, job, buf_slice(bundle), result);
    }
    if (job->may_serve_kept && report_errors(result->report)) kept_serve(config, &against, bundle, result);
    return is_loaded || report_errors(result->report) == 0;
}

static void check_config(const struct check_job *job, struct check_result *result)
{
    struct buf packed, bundle;
    struct config *config = job->is_offline ? config_load_offline(job->config_path, result->report)
                                            : config_load(job->config_path, result->report);
    if (!config) {
        check_policies_anyway(job->config_path, result);
        return;
    }
    registry_use(config->registry_url, config->gateway);
    buf_init(&packed);
    buf_init(&bundle);
    snprintf(result->policies_dir, sizeof result->policies_dir, "%.*s", SLICE_FMT(config->policies_dir));
    if (check_bundle(config, job, &bundle, result)) {
        config_pack(config, &packed);
        result->config_fd = seal("moongate-config", &packed, result->report);
        result->bundle_fd = seal("moongate-policies", &bundle, result->report);
    }
    buf_clear(&packed);
    buf_clear(&bundle);
    config_free(config);
}

static void check_folder(const struct check_job *job, struct check_result *result)
{
    struct buf unused;
    buf_init(&unused);
    snprintf(result->policies_dir, sizeof result->policies_dir, "%s", job->policies_dir);
    check_policies(job->policies_dir, &(struct check_against){.in_force_fd = -1}, &unused, result);
    buf_clear(&unused);
}

/* In this process first: a section that a worker would refuse must not get that far. */
static bool keep_section(void *arg, enum section_kind kind, struct slice bytes)
{
    struct check_result *result = arg;
    struct fault why;
    struct snapshot scratch;
    int fd = pipe_memfd_new("moongate-registry", bytes, &why);
    snapshot_init(&scratch);
    bool is_good = fd >= 0 && snapshot_take(&scratch, kind, fd, &why) == SNAPSHOT_TAKEN;
    snapshot_clear(&scratch);
    if (is_good && result->section_count < LIMIT_SECTIONS) {
        result->sections[result->section_count++] = fd;
        return true;
    }
    if (fd >= 0) close(fd);
    report_say(result->report, FINDING_OTHER_ERROR, "%s", is_good ? "too many sections" : fault_message(&why));
    return false;
}

static bool keep_kept(void *arg, const struct section_about *about, struct slice bytes)
{
    return keep_section(arg, about->kind, bytes);
}

static char *kept_path(const struct check_job *job)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" SECTION_FILE, job->data_dir);
    char *text = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    return text;
}

/* All of them or none: keys of one moment beside top-ups of another are neither. */
static void use_kept(const struct check_job *job, struct check_result *result)
{
    struct fault why = {0};
    char *path = kept_path(job);
    drop_sections(result);
    if (!section_file_read(path, keep_kept, result, &why)) drop_sections(result);
    mem_free(path);
}

static void keep_sections(const struct check_job *job, struct check_result *result)
{
    struct fault why;
    char *path = kept_path(job);
    if (!section_file_write(path, job->sections, job->section_count, &why))
        report_say(result->report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
    mem_free(path);
}

static void check_registry(const struct check_job *job, struct check_result *result)
{
    struct fault why = {0};
    int64_t now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    struct registry *registry = registry_open(job->data_dir, &why);
    bool is_good = registry && registry_sections(registry, now_s, keep_section, result, &why) &&
                   (!job->switches || providers_tell(registry, job->switches, &why));
    if (!is_good && report_errors(result->report) == 0)
        report_say(result->report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
    registry_close(registry);
    if (is_good) return;
    drop_sections(result);
    if (job->may_use_kept) use_kept(job, result);
}

void check_here(const struct check_job *job, struct check_result *result)
{
    result_init(result);
    if (job->what & CHECK_CONFIG) check_config(job, result);
    if (job->what & CHECK_REGISTRY) check_registry(job, result);
    if (job->what & CHECK_FOLDER) check_folder(job, result);
    if (job->what & CHECK_KEEP) keep_sections(job, result);
    result->is_good = report_errors(result->report) == 0;
}

/* ---- The forked process. */

static bool send(int pipe_fd, uint8_t type, struct slice body, int fd)
{
    struct fault why;
    struct pipe_message message = {.type = type, .body = body, .fd = fd};
    return pipe_send_wait(pipe_fd, &message, SEND_TIMEOUT_MS, &why);
}

/* Who waits gives up at its own time, so a message that does not get through is no loss. */
static void tell_specs(void *arg, uint32_t timeout_ms)
{
    send(*(int *)arg, CHECKED_SPECS, slice_of((const char *)&timeout_ms, sizeof timeout_ms), -1);
}

static void tell_spec(void *arg, struct slice name)
{
    send(*(int *)arg, CHECKED_SPEC, slice_of(name.ptr, name.len < SPEC_NAME_BYTES ? name.len : SPEC_NAME_BYTES), -1);
}

static bool send_sections(int pipe_fd, const struct check_result *result)
{
    for (unsigned i = 0; i < result->section_count; i++) {
        if (!send(pipe_fd, CHECKED_SECTION, SLICE_NONE, result->sections[i])) return false;
    }
    return true;
}

_Noreturn static void run_child(const struct check_job *job, int pipe_fd)
{
    struct check_result result;
    struct check_job here = *job;
    here.on_specs = tell_specs;
    here.on_spec = tell_spec;
    here.arg = &pipe_fd;
    check_here(&here, &result);
    struct checked checked = {.is_good = result.is_good, .policy_files = result.policy_files,
                              .accept_serial = result.accept_serial, .accept_at_s = result.accept_at_s};
    memcpy(checked.digest, result.digest, sizeof checked.digest);
    struct buf report;
    buf_init(&report);
    report_write(result.report, &report);
    bool is_sent = (result.config_fd < 0 || send(pipe_fd, CHECKED_CONFIG, SLICE_NONE, result.config_fd)) &&
                   (result.bundle_fd < 0 || send(pipe_fd, CHECKED_BUNDLE, SLICE_NONE, result.bundle_fd)) &&
                   (result.rules_fd < 0 || send(pipe_fd, CHECKED_RULES, SLICE_NONE, result.rules_fd)) &&
                   send_sections(pipe_fd, &result) &&
                   (!result.jwks_sources || send(pipe_fd, CHECKED_JWKS, slice_str(result.jwks_sources), -1)) &&
                   send(pipe_fd, CHECKED_REPORT, buf_slice(&report), -1) &&
                   send(pipe_fd, CHECKED, slice_of((const char *)&checked, sizeof checked), -1);
    /* Nothing is freed: the process is over. */
    _exit(is_sent ? 0 : 1);
}

/* ---- The side that waits for it. */

static void take_fd(int *to, int fd)
{
    close_fd(to);
    *to = fd;
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct checker *c = arg;
    struct checked checked;
    int fd = message->fd;
    if (message->is_fd_lost)
        report_say(c->result.report, FINDING_OTHER_ERROR,
                   "what was checked could not be taken over: too many descriptors are open (ulimit -n)");
    switch (message->type) {
    case CHECKED_CONFIG: take_fd(&c->result.config_fd, fd); return;
    case CHECKED_BUNDLE: take_fd(&c->result.bundle_fd, fd); return;
    case CHECKED_RULES: take_fd(&c->result.rules_fd, fd); return;
    case CHECKED_SECTION:
        if (fd < 0 || c->result.section_count == LIMIT_SECTIONS) break;
        c->result.sections[c->result.section_count++] = fd;
        return;
    case CHECKED_SPECS:
        if (message->body.len != sizeof c->specs_ms) break;
        memcpy(&c->specs_ms, message->body.ptr, sizeof c->specs_ms);
        loop_timer_arm_ms(&c->timeout, c->specs_ms);
        break;
    case CHECKED_SPEC:
        snprintf(c->spec_name, sizeof c->spec_name, "%.*s", SLICE_FMT(message->body));
        break;
    case CHECKED_JWKS:
        mem_free(c->result.jwks_sources);
        c->result.jwks_sources = mem_strndup(message->body.ptr, message->body.len);
        break;
    case CHECKED_REPORT: report_merge(c->result.report, message->body); break;
    case CHECKED:
        if (message->body.len != sizeof checked) break;
        memcpy(&checked, message->body.ptr, sizeof checked);
        checked.digest[sizeof checked.digest - 1] = '\0';
        c->result.is_good = checked.is_good && report_errors(c->result.report) == 0;
        c->result.policy_files = checked.policy_files;
        c->result.accept_serial = checked.accept_serial;
        c->result.accept_at_s = checked.accept_at_s;
        memcpy(c->result.digest, checked.digest, sizeof c->result.digest);
        c->is_whole = true;
        break;
    default: break;
    }
    if (fd >= 0) close(fd);
}

static void explain_end(struct checker *c, int status)
{
    if (c->is_late && c->specs_ms) {
        report_say(c->result.report, FINDING_SPEC_FAILS,
                   "the specs took longer than gate.timeout (%u ms) and were stopped; the last that began: %s",
                   c->specs_ms, c->spec_name[0] ? c->spec_name : "none");
    } else if (c->is_late) {
        report_say(c->result.report, FINDING_STOPPED, "loading took longer than %u s and was stopped: an endless loop?",
                   LIMIT_CHECK_MS / 1000);
    } else if (WIFSIGNALED(status)) {
        report_say(c->result.report, FINDING_CHECK_DIED, "loading crashed the process that tried it (signal %d, %s)",
                   WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        report_say(c->result.report, FINDING_CHECK_DIED,
                   "the process that tries configurations ended without a result");
    }
}

static void checker_free(struct checker *c)
{
    loop_timer_disarm(&c->timeout);
    if (c->pipe) pipe_free(c->pipe);
    check_result_clear(&c->result);
    mem_free(c);
}

static void free_later(void *arg)
{
    checker_free(arg);
}

/* Its end of the pipe is closed, so it has exited or is about to: the wait is short. */
static void on_end(void *arg, const struct fault *why)
{
    struct checker *c = arg;
    int status = 0;
    (void)why;
    loop_timer_disarm(&c->timeout);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = 0;
    if (!c->is_whole) {
        c->result.is_good = false;
        explain_end(c, status);
    }
    c->on_checked(c->arg, &c->result);
    loop_defer(c->loop, free_later, c);
}

static const struct pipe_events events = {.on_message = on_message, .on_end = on_end};

static void on_timeout(void *arg)
{
    struct checker *c = arg;
    c->is_late = true;
    kill(c->pid, SIGKILL); /* the end of its pipe follows */
}

/* What cannot even be started is told the same way, from the loop. */
static void tell_failure(void *arg)
{
    struct checker *c = arg;
    c->on_checked(c->arg, &c->result);
    checker_free(c);
}

/* The descriptors that the forked process goes on with. */
static size_t list_kept(const struct check_job *job, int pipe_fd, int keep[LIMIT_SECTIONS + 2])
{
    size_t count = 0;
    keep[count++] = pipe_fd;
    if (job->has_in_force) keep[count++] = job->in_force_fd;
    for (unsigned i = 0; i < job->section_count && i < LIMIT_SECTIONS; i++)
        keep[count++] = job->sections[i];
    return count;
}

/* As its operator sees it: a reload that hangs is not the registry being read. */
static const char *name_of(const struct check_job *job)
{
    return job->what == CHECK_REGISTRY ? "registry" : job->what == CHECK_KEEP ? "keeper" : "checker";
}

struct checker *checker_start(struct loop *loop, const struct check_job *job,
                              void (*on_checked)(void *arg, struct check_result *result), void *arg)
{
    struct checker *c = mem_zalloc(1, sizeof *c);
    struct fault why;
    int fds[2];
    c->loop = loop;
    c->on_checked = on_checked;
    c->arg = arg;
    result_init(&c->result);
    loop_timer_init(&c->timeout, loop, on_timeout, c);
    if (!pipe_pair(fds, &why)) {
        report_say(c->result.report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
        loop_defer(loop, tell_failure, c);
        return c;
    }
    int keep[LIMIT_SECTIONS + 2];
    c->pid = child_fork(name_of(job), keep, list_kept(job, fds[1], keep));
    if (c->pid == 0) run_child(job, fds[1]);
    close(fds[1]);
    if (c->pid < 0) {
        report_say(c->result.report, FINDING_CHECK_DIED, "cannot fork: %s", strerror(errno));
        close(fds[0]);
        loop_defer(loop, tell_failure, c);
        return c;
    }
    c->pipe = pipe_new(loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &events, c);
    loop_timer_arm_ms(&c->timeout, LIMIT_CHECK_MS);
    return c;
}

void checker_cancel(struct checker *c)
{
    if (!c) return;
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    checker_free(c);
}
