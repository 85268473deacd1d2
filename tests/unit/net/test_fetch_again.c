/* Handles, parsed URLs and connections that serve again: each request still goes where it says, with its own body. */
#include "net/fetch.h"

#include "caller.h"

/* The provider closes the kept connection at the very moment of the second request: sent again, once, with its body. */
static void serve_race(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    up_answer(&c, UP_OK);
    up_read_request(&c);
    up_fin(&c);
    struct up_conn d = up_accept(u);
    up_answer(&d, UP_OK);
    up_fin(&d);
}

static void repeats_what_a_closed_connection_never_answered(void)
{
    struct world w;
    struct call c, again;
    char *bytes = mem_alloc(100000);
    memset(bytes, 'b', 100000);
    struct slice pieces[] = {slice_of(bytes, 40000), slice_of(bytes, 60000)};
    world_open(&w, serve_race);
    call_whole(&w, &c);
    call_init(&w, &again);
    again.request.method = SLICE("POST");
    snprintf(again.url, sizeof again.url, "http://127.0.0.1:%d/v1/x/again", w.up.port);
    again.request.body = pieces;
    again.request.body_count = 2;
    call_go(&again);
    world_run(&w);
    EXPECT(again.complete);
    EXPECT(!again.was_reused);
    up_join(&w.up);
    EXPECT(slice_starts(buf_slice(&w.up.request), SLICE("POST /v1/x/again HTTP/1.1\r\n"))); /* not the first's URL */
    EXPECT_INT(2, w.up.accepted);
    struct slice got = buf_slice(&w.up.request);
    EXPECT(got.len > 100000 && memcmp(got.ptr + got.len - 100000, bytes, 100000) == 0);
    mem_free(bytes);
    call_clear(&c);
    call_clear(&again);
    world_close(&w);
}

/* Each connection is good for one answer, and closes under the next request. */
static void serve_once_each(struct upstream *u)
{
    for (int i = 0; i < 12; i++) {
        struct up_conn c = up_accept(u);
        up_answer(&c, UP_OK);
        up_read_request(&c);
        up_fin(&c);
    }
}

/* curl 7.88 counts these over a handle's life: the sixth dead connection in days must be no failure. */
static void repeats_as_often_as_it_takes(void)
{
    struct world w;
    world_open(&w, serve_once_each);
    for (int i = 0; i < 12; i++) {
        struct call c;
        call_whole(&w, &c);
        EXPECT(c.complete);
        call_clear(&c);
    }
    fetch_pool_free(w.pool);
    w.pool = NULL;
    up_join(&w.up);
    EXPECT_INT(12, w.up.accepted);
    world_close(&w);
}

static void serve_many(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    for (int i = 0; i < 60; i++) {
        char answer[256];
        struct slice path;
        up_read_request(&c);
        slice_split(buf_slice(&u->request), ' ', &path);
        path = slice_split(path, ' ', &(struct slice){0});
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s", path.len, SLICE_FMT(path));
        up_send(&c, answer);
    }
    up_fin(&c);
}

/* Parsed URLs are kept, but not all: each request goes where it says, whatever went before it. */
static void goes_to_each_of_many_urls(void)
{
    struct world w;
    world_open(&w, serve_many);
    for (int i = 0; i < 60; i++) {
        struct call c;
        char path[32];
        snprintf(path, sizeof path, "/%d?q=%d", i * i % 37, i % 3);
        call_init(&w, &c);
        snprintf(c.url, sizeof c.url, "http://127.0.0.1:%d%s", w.up.port, path);
        call_go(&c);
        world_run(&w);
        EXPECT(c.complete);
        EXPECT_SLICE(slice_str(path), buf_slice(&c.body));
        call_clear(&c);
    }
    world_close(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(repeats_what_a_closed_connection_never_answered);
    RUN(repeats_as_often_as_it_takes);
    RUN(goes_to_each_of_many_urls);
    return unit_close("fetch_again");
}
