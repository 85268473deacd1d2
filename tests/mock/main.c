/*
 * moongate-mock: a provider of language models that answers, and misbehaves, on request.
 *
 *     build/moongate-mock [--listen 127.0.0.1:0] [--control 127.0.0.1:0] [--recordings DIR] [--log FILE]
 *                         [--tls CA.pem] [--key SECRET] [--fast] [--defaults QUERY] [--bodies BYTES] [--quiet]
 *
 * prints, when it is ready,
 *
 *     listening on 127.0.0.1:PORT
 *     control on 127.0.0.1:PORT
 *
 * and runs until SIGTERM or SIGINT, then exits 0.
 *
 *   --listen      where it is a provider: OpenAI's /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models
 *   --control     where tests steer it: POST /_mock/script, GET /_mock/log, GET /_mock/state, POST /_mock/reset
 *   --recordings  folder with manifest.json, for the setting replay=ID
 *   --log         file to which the journal is appended, one JSON object a line
 *   --tls         speak TLS on --listen, with a certificate made at start, which is written to this file
 *   --key         the only key that is accepted; without it every key is, but sk-bad
 *   --fast        bench upstream: bodies are not parsed, answers are fixed, nothing is journalled unless --log is given
 *   --defaults    settings of each answer that no script speaks of, e.g. "rate=20&tokens=200"
 *   --bodies      request bodies up to this are in the journal; 65536 unless said
 *   --quiet       without the two lines
 *
 * Settings, scripts and the journal's entries are described in README.md.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "certificate.h"
#include "entries.h"
#include "mock.h"
#include "server.h"
#include "session.h"

struct options {
    const char *listen, *control, *recordings, *log, *ca, *key, *defaults, *bodies;
    bool is_fast, is_quiet;
};

static bool read_options(struct options *o, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"control", required_argument, NULL, 'c'},
        {"recordings", required_argument, NULL, 'r'},
        {"log", required_argument, NULL, 'o'},
        {"tls", required_argument, NULL, 't'},
        {"key", required_argument, NULL, 'k'},
        {"defaults", required_argument, NULL, 'd'},
        {"fast", no_argument, NULL, 'f'},
        {"bodies", required_argument, NULL, 'b'},
        {"quiet", no_argument, NULL, 'q'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'l': o->listen = optarg; break;
        case 'c': o->control = optarg; break;
        case 'r': o->recordings = optarg; break;
        case 'o': o->log = optarg; break;
        case 't': o->ca = optarg; break;
        case 'k': o->key = optarg; break;
        case 'd': o->defaults = optarg; break;
        case 'f': o->is_fast = true; break;
        case 'b': o->bodies = optarg; break;
        case 'q': o->is_quiet = true; break;
        default: return false;
        }
    }
    return optind == argc;
}

static void on_signal(evutil_socket_t signal, short what, void *arg)
{
    (void)signal, (void)what;
    event_base_loopbreak(arg);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    session_reap(arg);
}

static bool mock_open(struct mock *m, const struct options *o, struct fault *why)
{
    list_init(&m->sessions);
    list_init(&m->dead);
    script_init(&m->defaults);
    m->base = event_base_new();
    m->reaper = event_new(m->base, -1, 0, on_reap, m);
    m->scripts = scripts_new();
    m->key = o->key;
    m->defaults.fast = o->is_fast;
    m->entry_bytes = ENTRY_BODY_BYTES;
    if (o->bodies && !slice_to_u64(slice_str(o->bodies), &m->entry_bytes))
        return fault_set(why, FAULT_INTERNAL, "--bodies must be a number");
    m->journal = journal_open(o->log, o->is_fast && !o->log, why);
    if (!m->journal) return false;
    if (o->defaults && !script_set_query(&m->defaults, slice_str(o->defaults), why)) return false;
    if (o->recordings && !(m->replay = replay_open(o->recordings, why))) return false;
    if (o->ca && !(m->tls = certificate_context(o->ca, why))) return false;
    return true;
}

static void mock_close(struct mock *m)
{
    session_close_all(m);
    scripts_free(m->scripts);
    journal_free(m->journal);
    replay_free(m->replay);
    SSL_CTX_free(m->tls);
    script_clear(&m->defaults);
    buf_clear(&m->held); /* the kernel closes the descriptors */
    event_free(m->reaper);
    event_base_free(m->base);
    libevent_global_shutdown();
}

static bool run(struct mock *m, const struct options *o, struct fault *why)
{
    char address[64], control[64];
    struct server *data = server_listen(m, o->listen, false, address, why);
    struct server *side = data ? server_listen(m, o->control, true, control, why) : NULL;
    struct event *term = evsignal_new(m->base, SIGTERM, on_signal, m->base);
    struct event *intr = evsignal_new(m->base, SIGINT, on_signal, m->base);
    event_add(term, NULL);
    event_add(intr, NULL);
    if (side) {
        if (!o->is_quiet) printf("listening on %s\ncontrol on %s\n", address, control);
        fflush(stdout);
        event_base_dispatch(m->base);
    }
    event_free(term);
    event_free(intr);
    server_free(data);
    server_free(side);
    return side != NULL;
}

int main(int argc, char **argv)
{
    struct options o = {.listen = "127.0.0.1:0", .control = "127.0.0.1:0"};
    struct mock mock = {0};
    struct fault why = {0};
    if (!read_options(&o, argc, argv)) {
        fprintf(stderr, "usage: moongate-mock [--listen ADDR] [--control ADDR] [--recordings DIR] [--log FILE]\n"
                        "                     [--tls CA.pem] [--key SECRET] [--fast] [--defaults QUERY] [--bodies BYTES] [--quiet]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    bool is_good = mock_open(&mock, &o, &why) && run(&mock, &o, &why);
    if (!is_good) fprintf(stderr, "moongate-mock: %s\n", fault_message(&why));
    mock_close(&mock);
    return is_good ? 0 : 1;
}
