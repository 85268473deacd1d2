/* What the parts of the libcurl back end share; for fetch_*.c alone. */
#ifndef MOONGATE_NET_FETCH_INNER_H
#define MOONGATE_NET_FETCH_INNER_H

#include <curl/curl.h>

#include "base/list.h"
#include "net/curl_loop.h"
#include "net/fetch.h"
#include "net/loop.h"

struct head_reader;

/* A request as curl wants it, in one block of memory. */
struct fetch_text {
    char *block;
    struct curl_slist *headers;
    char *url;
    char *method;
    const char *copied_body; /* a small body, joined; NULL: there is none, or it is read from the pieces */
    struct slice *pieces;
    size_t piece_count;
    uint64_t body_bytes;
    size_t piece_now, piece_at; /* the next byte to send */
    bool has_body;              /* also an empty one */
};

#define FETCH_HOST_BYTES 128 /* "api.example.com:443", for messages */

/* A URL that curl has read. curl would read and write it anew for each request,
 * at the price of parsing a small body. */
struct fetch_url {
    CURLU *parsed;
    char *text;
    char host[FETCH_HOST_BYTES]; /* as fetch_url_host() says */
    size_t users; /* the handles that have it, and the pool */
    unsigned floods; /* of its last answers so many more came fast than slowly */
};

/* Those seen last; providers have one or two each. */
#define FETCH_URLS_KEPT 16
#define FLOODS_REMEMBERED 16u
struct fetch_urls {
    struct fetch_url *kept[FETCH_URLS_KEPT];
    size_t next;
};

struct fetch {
    struct fetch_pool *pool;
    CURL *easy;
    struct curl_loop_sockets sockets;
    struct list_link link;  /* in one of the pool's lists */
    struct loop_work resume; /* a later turn gives out what curl holds, and reads on */
    uint64_t turn;           /* of the loop, in which bytes came last … */
    size_t turn_bytes;       /* … and how many */
    const struct fetch_events *events;
    void *arg;
    enum fetch_phase phase;
    bool was_sent; /* FETCH_ENDED: it had come beyond connecting */
    bool is_paused; /* the user says so */
    bool is_held;   /* curl was told to wait, at the first bytes after it or behind what a turn may read */
    bool is_cancelled;
    bool is_added; /* curl has it */
    bool is_reused;
    bool is_asking;  /* the request was begun on a connection … */
    bool is_retried; /* … and once more on another one: that was kept, and dead */
    bool is_http2;
    bool is_trickle;
    bool has_flooded; /* more came in a turn than small reads are meant for */
    bool has_head;
    char *ca_file;         /* what the handle trusts now; "": the system's */
    struct fetch_url *url; /* where the handle goes now */
    struct fetch_text text;
    struct head_reader *head; /* while the head arrives */
    size_t trailer_bytes;
    uint32_t connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms;
    uint64_t started_ms; /* loop time, as the next two */
    uint64_t since_ms;   /* where the phase's timer counts from */
    uint64_t armed_ms;   /* when the timer will fire; 0: it is not set */
    struct loop_timer timer;
    struct fault *why; /* what a callback stopped curl for, or why it cannot be sent; NULL: nothing */
    char error[CURL_ERROR_SIZE];
};

struct fetch_pool {
    struct loop *loop;
    struct curl_loop *curl;
    char *user_agent;
    char *system_ca_file; /* NULL: curl's own defaults */
    struct list_link waiting, running, dying;
    struct list_link idle; /* fetches with a handle, for reuse */
    size_t idle_count;
    struct fetch_urls urls;
    struct head_reader *spare_head;
    uint64_t reused;
    uint32_t active, paused;
};

/* fetch_curl.c: the phase's timer begins to count, again from now. */
void fetch_enter(struct fetch *f, enum fetch_phase phase);
void fetch_touch(struct fetch *f);
/* It goes no further: whoever calls makes curl stop. */
void fetch_stop(struct fetch *f, const char *host, const struct fault *why);
/* Whether curl holds bytes back for it. */
void fetch_hold(struct fetch *f, bool is_held);

/* fetch_text.c */
/* Copies the request (but for the body's bytes); false and *why when it cannot be sent as it is. */
bool fetch_text_build(struct fetch_text *t, const struct fetch_request *request, struct slice user_agent,
                      struct fault *why);
void fetch_text_clear(struct fetch_text *t);
/* curl's read and seek callbacks over the pieces. */
size_t fetch_text_read(struct fetch_text *t, char *to, size_t len);
bool fetch_text_seek(struct fetch_text *t, uint64_t offset);
bool fetch_text_is_sent(const struct fetch_text *t);
/* Host and port of a URL, cut to size; "?" when there is none. */
void fetch_url_host(struct slice url, char *host, size_t size);

/* fetch_handle.c: curl's options and callbacks: those that never change, and those of one request. */
void fetch_handle_init(struct fetch *f);
bool fetch_handle_set(struct fetch *f, const struct fetch_request *request, struct fault *why);
/* The file of certificates that curl was built to trust, or NULL when this machine has none. The caller frees it. */
char *fetch_handle_system_ca(void);

/* fetch_url.c */
/* NULL: it is none. Give it back with fetch_url_drop(), which takes NULL too. */
struct fetch_url *fetch_url_take(struct fetch_urls *urls, const char *text);
void fetch_url_drop(struct fetch_url *url);
void fetch_urls_clear(struct fetch_urls *urls);

/* fetch_judge.c: what curl's result means: false, with *why, for a failure. */
bool fetch_judge(const struct fetch *f, CURLcode result, struct fault *why);

#endif
