/*
 * What the supervisor's files share; nobody else includes it.
 *
 *     supervisor.c           start, signals, heartbeat, drain and stop
 *     supervisor_children.c  forking workers, ledger and admin process, replacing what died
 *     supervisor_ledger.c    pipes between the workers and the ledger process
 *     supervisor_reload.c    check → prepare → commit or drop
 *     supervisor_snapshots.c the newest sections of the registry, for all workers
 *     supervisor_jwks.c      keys of token issuers, from the admin process to the workers
 *     supervisor_acts.c      who did what to the gateway itself, for the ledger
 *     supervisor_control.c   the control socket
 *     supervisor_files.c     data folder, lock, sockets, listen.json
 */
#ifndef MOONGATE_SERVER_SUPERVISOR_INNER_H
#define MOONGATE_SERVER_SUPERVISOR_INNER_H

#include <sys/types.h>

#include "admin/board.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/login.h"
#include "base/shared.h"
#include "base/stats.h"
#include "net/line.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "server/checker.h"
#include "server/config.h"
#include "server/supervisor.h"
#include "store/counters/shared.h"
#include "store/registry/registry.h"
#include "store/section/section.h"

#define SUPERVISOR_TICK_MS 500u
#define SUPERVISOR_OTHERS_MAX 4u /* processes that are no workers */
#define SUPERVISOR_WAITERS (2 * LIMIT_CONTROL_CLIENTS)

struct supervisor;

struct child;
struct pipe_message;
struct signalfd_siginfo;

/* A kind of process that is kept alive: one more is one row more (supervisor_children.c). Restarts, heartbeat and
 * back-off are alike for all. */
struct child_kind {
    const char *name;                                /* "worker" */
    unsigned (*count)(const struct supervisor *sup); /* how many there are */
    void (*run)(struct child *c, int control_fd);    /* in the child; does not return */
    void (*on_started)(struct child *c);             /* what it is told first */
    void (*on_message)(struct child *c, const struct pipe_message *message);
    uint32_t silence_ms;  /* without a sign of life for this long it is killed and replaced */
    bool is_numbered;     /* there are several, and their names say which */
    bool is_first;        /* started before the others, which wait until it is ready */
    bool serves_workers;  /* replaced also while they drain, as long as any is left */
    bool has_generations; /* serves requests by them: takes part in reloads, must be ready before the start is over */
};

/* One process that is kept alive, in its slot of the board. */
struct child {
    struct supervisor *sup;
    const struct child_kind *kind;
    unsigned slot;
    char name[24];
    pid_t pid; /* 0: none */
    struct pipe *pipe;
    int listen_fd; /* kept over restarts, so that queued connections wait instead of being lost */
    enum board_slot_state state;
    struct loop_timer restart;
    unsigned failures; /* early deaths in a row */
    uint64_t born_ns;
    uint64_t beat_seen;
    unsigned silent_ticks;
    bool is_awaited; /* the reload under way waits for its answer */
    bool is_hung;    /* killed for its silence */
    bool is_unlinked; /* a worker: there was no descriptor for its pipe to the ledger process */
};

/* What is in force, as bytes that a new worker gets too. */
struct generation {
    uint64_t number;
    int config_fd, bundle_fd, rules_fd;
    char digest[65], config_digest[65];
    unsigned policy_files;
    uint64_t accept_serial; /* as struct check_result has them */
    int64_t accept_at_s;
    char *jwks_sources; /* as admin/jwks_fetcher.h says; NULL: none */
};

/* The last good keys of one issuer: the message that brought them. */
struct jwks_held {
    struct buf message;
};

/* Somebody who asks for something, by the control socket or by a signal. */
struct asker {
    uid_t uid; /* as the kernel says */
    const char *via;
    char name[LIMIT_LOGIN_BYTES + 1]; /* of that user; of a command: its login */
};

/* Those of one reload; each is named once. */
struct askers {
    struct asker list[LIMIT_CHANGES_ASKERS];
    unsigned count, others;
};

/* What the ledger process is told of (store/change.h), until it has it. */
struct acts {
    struct list_link waiting;
    unsigned count;
    uint64_t last_number, lost; /* lost: there was no room for them */
    char own_name[LIMIT_LOGIN_BYTES + 1], host[65];
    struct act *refused; /* the last reload that was refused because the gateway begins or ends, if it waits … */
    struct asker refused_by; /* … and who asked for it */
};

/* At limits and budgets, under way. */
struct looks {
    struct list_link all;
    unsigned count;
    struct counters_redis *redis; /* NULL until somebody looks */
};

enum reload_phase {
    RELOAD_IDLE,
    RELOAD_CHECKING,   /* the forked checker runs */
    RELOAD_WAITING,    /* for workers that are just starting */
    RELOAD_PREPARING,  /* workers load it beside what they have */
    RELOAD_COMMITTING, /* all could; they are told to change over */
};

/* Peers of the control socket that wait for what is under way, and for what follows it. */
struct waiters {
    struct line_peer *now[SUPERVISOR_WAITERS], *next[SUPERVISOR_WAITERS];
    size_t now_count, next_count;
    bool is_again; /* asked for while it ran: one more follows */
};

struct reload {
    enum reload_phase phase;
    struct checker *checker;
    struct generation next;
    struct report *report;
    unsigned awaited; /* workers that have not answered */
    uint64_t rollback_serial; /* of the bundle it goes back to; 0: it takes the folder's */
    struct waiters waiters;
    struct askers askers, next_askers; /* of the one under way, and of that which follows it */
    struct {
        uint64_t number;
        char digest[65], config_digest[65];
    } before; /* in force when it began */
};

/* One that workers hold; what is in it is theirs to know. */
struct section_held {
    int fd;
    struct section_about about;
    bool is_refused; /* by a worker: the same is sent again when it is read again */
};

struct snapshots {
    struct checker *checker;
    struct checker *keeper; /* writes registry.snap */
    bool is_unkept;         /* workers hold what is not in it */
    uint64_t keep_ns;       /* it is not written before that */
    struct section_held held[LIMIT_SECTIONS];
    unsigned held_count; /* 0: none yet */
    struct registry_mark mark; /* when the last reading began … */
    uint64_t wall_ns;          /* … by the clock that it went by … */
    uint64_t began_ns;         /* … and by the one that nobody sets */
    bool is_stale;             /* a fleet's: not confirmed for registry.max_stale, and that is said */
    uint64_t again_ns;         /* it could not be read: when it is tried again; 0: it could */
    struct waiters waiters;
};

struct supervisor {
    struct supervisor_parts parts;
    struct loop *loop;
    uint64_t born_ns;
    enum board_state state;
    bool has_started; /* on_started was called */
    int exit_code;

    struct loop_watch signals;
    int signal_fd;
    struct loop_timer tick, phase_timer; /* phase_timer: the delay, then the grace of a drain; the patience of a stop */
    bool is_accepting_over;

    struct config *config; /* in force, without its secrets */
    char *data_dir;
    int lock_fd;
    struct listener_address listen, admin_listen;
    char listen_text[LISTENER_TEXT_BYTES], admin_text[LISTENER_TEXT_BYTES];
    struct line_server *control;

    struct shared stats_area, board_area;
    struct counters_shared *counters;
    struct board *board;
    struct stats *stats; /* the supervisor's own segment, after the workers' … */
    void *segments[LIMIT_WORKERS + 2]; /* … and before the ledger's */

    unsigned worker_count;
    struct child children[LIMIT_WORKERS + SUPERVISOR_OTHERS_MAX]; /* workers first */
    unsigned child_count;
    struct generation current;
    struct reload reload;
    struct snapshots snapshots;
    struct acts acts;
    struct looks looks;
    struct jwks_held jwks[LIMIT_JWKS_SOURCES];
    size_t jwks_count;
};

/* ---- supervisor.c */
/* Ends the whole with a message, before or after it has started. */
void supervisor_fail(struct supervisor *sup, enum finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Somebody asks for it. */
void supervisor_drain(struct supervisor *sup, const struct asker *by);
void supervisor_stop(struct supervisor *sup, const struct asker *by);
/* The first generation is in force everywhere. */
void supervisor_is_ready(struct supervisor *sup);
/* A child has ended for good. */
void supervisor_child_left(struct supervisor *sup);

/* ---- supervisor_children.c */
/* Makes those that sup->worker_count asks for; none runs yet. */
void children_init(struct supervisor *sup);
/* The first of that kind; NULL: there is none. */
struct child *children_find(struct supervisor *sup, const char *kind);
/* The same while it runs; else NULL. */
struct child *children_running(struct supervisor *sup, const char *kind);
/* Those that come first. */
void children_start(struct supervisor *sup);
/* The others, once those are ready. */
void children_start_rest(struct supervisor *sup);
/* Starts what should be running and waits for nothing: after a reload, during which no worker was started. */
void children_start_missing(struct supervisor *sup);
/* After SIGCHLD: notes who died and plans who is replaced. */
void children_reap(struct supervisor *sup);
/* Kills who has not shown a heartbeat for LIMIT_HEARTBEAT_MS. */
void children_check_beats(struct supervisor *sup);
/* Kills whoever keeps the counters' lock for LIMIT_COUNTERS_HELD_MS: nobody else is served meanwhile. */
void children_check_counters(struct supervisor *sup);
void children_send(struct supervisor *sup, uint8_t order, struct slice body, int fd);
void child_send(struct child *c, uint8_t order, struct slice body, int fd);
/* What was sent goes now, not at the turn's end. */
void child_flush(struct child *c);
/* Takes the descriptor. */
void child_give(struct child *c, uint8_t order, struct slice body, int fd);
void child_set_state(struct child *c, enum board_slot_state state);
/* Hands over a generation: configuration, keys, policies to prepare. */
void child_send_generation(struct child *c, const struct generation *g);
/* Those that serve requests by generations, or the others. */
void children_kill(struct supervisor *sup, bool has_generations);
unsigned children_alive(const struct supervisor *sup, bool has_generations);
unsigned children_in_state(const struct supervisor *sup, enum board_slot_state state);
void children_close_listeners(struct supervisor *sup);
void children_clear(struct supervisor *sup);

/* ---- supervisor_counters.c */
void looks_init(struct supervisor *sup);
/* {"items": [ … ]} as scripts/counters.lua has them → {"ok": true, "states": [{spent, held, left, reset, is_over},
 * … ]}: nothing is taken. Answers its peer, at once or when a fleet's Redis has. */
void looks_begin(struct supervisor *sup, struct line_peer *peer, struct json_t *request);
/* {"start": seconds, "cursor": "0"} → {"ok": true, "cursor": "…" ("0": those were all), "sums": [[key, nano-dollars,
 * of a session when it is over], …]}: what a fleet has spent in that period (0: sessions), with "key" of that one
 * alone. {"ok": true, "is_alone": true}: it is of no fleet, the ledger knows. */
void looks_begin_spent(struct supervisor *sup, struct line_peer *peer, struct json_t *request);
void looks_forget(struct supervisor *sup, const struct line_peer *peer);
void looks_clear(struct supervisor *sup);

/* ---- supervisor_reload.c */
void reload_init(struct supervisor *sup);
/* peer: who waits for the answer, or NULL. */
void reload_request(struct supervisor *sup, struct line_peer *peer, const struct asker *by);
/* The same, with a bundle that was accepted before (server/kept.h). False: one is under way, or it is not ready. */
bool reload_roll_back(struct supervisor *sup, struct line_peer *peer, const struct asker *by, uint64_t serial);
/* A worker has answered CONTROL_PREPARE or CONTROL_COMMIT. */
void reload_on_prepared(struct child *c, const struct pipe_message *message);
void reload_on_committed(struct child *c, const struct pipe_message *message);
/* A worker has died, or has become ready. */
void reload_on_child_gone(struct child *c);
void reload_on_child_ready(struct supervisor *sup);
/* No worker may be started while generations change over. */
bool reload_holds_starts(const struct supervisor *sup);
void reload_clear(struct supervisor *sup);
void generation_clear(struct generation *g);
/* With its secrets: for config_free(). NULL: it cannot be read. */
struct config *generation_read_config(int fd);
/* Takes over what the check made; next gets the number after the current one. */
void generation_take(struct supervisor *sup, struct generation *next, struct check_result *result);
/* In force from now on: board, metrics. Takes `next`. */
/* Before it is accepted: a signed bundle is remembered, so that none before it comes back. False: *why. */
bool generation_remember(struct supervisor *sup, const struct generation *next, struct fault *why);
void generation_accept(struct supervisor *sup, struct generation *next);
/* To the admin process, which keeps the registry: at its start, and when others are in force. */
void generation_send_rules(struct supervisor *sup);

/* ---- supervisor_snapshots.c */
void snapshots_init(struct supervisor *sup);
void snapshots_request(struct supervisor *sup, struct line_peer *peer);
/* Takes the descriptor of a section: it is passed on to all workers, unless what they have is the same. */
void snapshots_take(struct supervisor *sup, int fd);
/* All of them, to a worker that was just started or could not take one. */
void snapshots_send(struct child *worker);
/* A worker has kept an older one. */
void snapshots_on_refused(struct child *worker, struct slice body);
/* At each tick: who changes the registry says so, unless he is killed before. */
void snapshots_look(struct supervisor *sup);
/* Likewise, in the metrics and to who reads logs: how old what workers have may be, in a fleet. */
void snapshots_show(struct supervisor *sup);
void snapshots_clear(struct supervisor *sup);

/* ---- supervisor_jwks.c */
/* A generation is in force: its sources are named, what others had is forgotten. */
void jwks_on_accepted(struct supervisor *sup);
/* For an admin process, and for a worker, that was just started. */
void jwks_send_sources(struct supervisor *sup);
void jwks_send_held(struct child *worker);
void jwks_on_outcome(struct child *admin, const struct pipe_message *message);
void jwks_on_wanted(struct child *worker, const struct pipe_message *message);
void jwks_clear(struct supervisor *sup);

/* ---- supervisor_accounts.c */
/* A generation is in force: its provider accounts have breakers, and keep them if they had one. */
void accounts_on_accepted(struct supervisor *sup);
/* In the metrics: which are open. */
void accounts_show(struct supervisor *sup);
/* For an admin process that was just started, or a generation that is in force: whose tokens are asked for. */
void accounts_send(struct supervisor *sup);
void accounts_on_access_token(struct child *admin, const struct pipe_message *message);

/* ---- supervisor_ledger.c */
/* A fresh pipe between this worker and the ledger process, when both are there; each side sees the old one end. */
void ledger_link_worker(struct child *worker);
/* Where that failed for want of descriptors. */
void ledger_link_again(struct supervisor *sup);
void ledger_on_started(struct child *c);
void ledger_on_message(struct child *c, const struct pipe_message *message);
/* A generation is in force. */
void ledger_on_accepted(struct supervisor *sup);
/* Somebody has asked for a reload: what he may have renamed is opened anew, whatever becomes of it. */
void ledger_reopen(struct supervisor *sup);
/* The registry may have noted changes. */
void ledger_look(struct supervisor *sup);

/* ---- supervisor_acts.c */
void acts_init(struct supervisor *sup);
/* login: what the peer says of itself; may be empty. */
struct asker asker_of_peer(const struct supervisor *sup, const struct line_peer *peer, struct slice login);
struct asker asker_of_signal(const struct supervisor *sup, const struct signalfd_siginfo *info);
void askers_add(struct askers *all, const struct asker *by);
/* "drain", "stop". */
void acts_note(struct supervisor *sup, const char *action, const struct asker *by);
/* The reload under way has ended. */
void acts_reloaded(struct supervisor *sup, bool is_good);
/* A signed bundle went live with the start. */
void acts_started(struct supervisor *sup);
/* None was begun: the gateway is not ready. */
void acts_reload_refused(struct supervisor *sup, const struct asker *by);
/* The ledger process destroys the key of a person's texts (store/erase.h); peer is answered once the chain says so.
 * False: too much waits already, nothing was done. */
bool acts_erase(struct supervisor *sup, struct line_peer *peer, const struct asker *by, struct slice subject,
                struct slice reason);
void acts_forget(struct supervisor *sup, const struct line_peer *peer);
/* All that wait, to a ledger process that has none of them. */
void acts_send(struct child *ledger);
/* The body of REPORT_CHANGE. */
void acts_on_end(struct child *ledger, struct slice body);
void acts_clear(struct supervisor *sup);

/* ---- supervisor_control.c */
bool control_open(struct supervisor *sup);
void control_close(struct supervisor *sup);
/* Sends one JSON object and gives it back. */
void control_answer(struct line_peer *peer, struct json_t *object);
/* peer may be NULL: nobody waits for an answer. */
void waiters_add(struct waiters *w, bool is_running, struct line_peer *peer);
/* Sends a copy to all who wait for what has just ended, and gives `object` back. True: it was asked for again
 * meanwhile; those who did wait for the next run now. */
bool waiters_answer(struct waiters *w, struct json_t *object);
void waiters_forget(struct waiters *w, const struct line_peer *peer);

/* ---- supervisor_files.c */
/* Data folder, lock, sockets: what a second instance must not get. False: supervisor_fail() was called. */
bool files_claim(struct supervisor *sup);
void files_write_listen(struct supervisor *sup);
void files_clear(struct supervisor *sup);

#endif
