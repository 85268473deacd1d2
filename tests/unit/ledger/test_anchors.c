/* Anchors as the ledger process makes them, and witnesses that take them, do not, and take them again. */
#include "../store/seal_kit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/hmac.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/hex.h"
#include "ledger/anchors.h"
#include "net/loop.h"

static struct loop *loop;
static struct anchors *anchors;

static void begin(const struct anchors_options *witnesses)
{
    struct fault why;
    loop = loop_new();
    anchors = anchors_new(loop, NULL, seal_dir, SEAL_GATEWAY, witnesses);
    if (!anchors_open(anchors, seal_ledger, &seal_key, &why)) UNIT_FAIL("%s", why.text);
}

static void end(void)
{
    anchors_free(anchors);
    loop_free(loop);
}

static void commit(unsigned first, unsigned count)
{
    struct fault why;
    EXPECT(ledger_begin(seal_ledger, &why));
    for (unsigned n = first; n < first + count; n++) {
        if (n == 1)
            seal_start();
        else
            seal_exchange(n);
    }
    EXPECT(ledger_commit(seal_ledger, &why));
    anchors_committed(anchors, count);
}

static uint64_t last_seq(void)
{
    struct fault why;
    struct anchor a = {.seq = 0};
    anchor_last(seal_ledger, &a, &why);
    return a.seq;
}

/* Turns until it is so. */
static bool (*wanted)(void);
static struct loop_timer poll;
static unsigned turns;

static void on_poll(void *arg)
{
    (void)arg;
    if (wanted() || ++turns > 3000)
        loop_stop(loop);
    else
        loop_timer_arm_ms(&poll, 10);
}

static void run_until(bool (*is_so)(void))
{
    wanted = is_so;
    turns = 0;
    loop_timer_init(&poll, loop, on_poll, NULL);
    if (!is_so()) { /* a loop that is stopped before it runs would not run the next time */
        loop_timer_arm_ms(&poll, 1);
        loop_run(loop);
    }
    loop_timer_disarm(&poll);
    EXPECT(is_so());
}

static unsigned lines_of(const char *name)
{
    struct buf all;
    unsigned lines = 0;
    if (read_file(seal_dir, name, &all))
        for (size_t i = 0; i < buf_len(&all); i++)
            lines += buf_ptr(&all)[i] == '\n';
    buf_clear(&all);
    return lines;
}

static bool has_two_lines(void)
{
    return lines_of("witness.jsonl") >= 2;
}

static bool has_four_lines(void)
{
    return lines_of("witness.jsonl") >= 4;
}

static void the_head_is_signed_at_the_start_the_end_and_when_much_came(void)
{
    seal_begin();
    seal_open();
    begin(&(struct anchors_options){.has_syslog = false});
    EXPECT_INT(0, last_seq());
    commit(1, 1);
    EXPECT_INT(1, last_seq());
    commit(2, LIMIT_ANCHOR_ENTRIES - 1);
    EXPECT_INT(1, last_seq()); /* within a minute */
    commit(LIMIT_ANCHOR_ENTRIES + 1, 1);
    EXPECT_INT(LIMIT_ANCHOR_ENTRIES + 1, last_seq());
    commit(LIMIT_ANCHOR_ENTRIES + 2, 1);
    anchors_sign(anchors);
    EXPECT_INT(LIMIT_ANCHOR_ENTRIES + 2, last_seq());
    anchors_sign(anchors); /* nothing came */
    end();
    seal_close();
    EXPECT_INT(VERIFY_INTACT, seal_verify(false));
    EXPECT_INT(3, seal_said.anchors);
    seal_end();
}

/* Also what was signed before the witness was there, and after a restart. */
static void a_file_gets_each_anchor(void)
{
    struct stat st;
    seal_begin();
    seal_open();
    begin(&(struct anchors_options){.has_syslog = false});
    commit(1, 1);
    end();
    FILE *file = fopen(seal_path("witness.jsonl"), "w");
    fputs("half of a li", file);
    fclose(file);
    const char *path = seal_path("witness.jsonl");
    begin(&(struct anchors_options){.file = slice_str(path)});
    commit(2, 3);
    run_until(has_two_lines);
    commit(5, 1);
    anchors_sign(anchors);
    run_until(has_four_lines);
    end();
    EXPECT_INT(0, stat(path, &st));
    seal_close();
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    EXPECT_INT(5, seal_said.witnessed_seq);
    EXPECT_INT(1, seal_said.witness_unread);
    seal_end();
}

static bool is_file_there(void)
{
    return access(seal_path("gone/witness.jsonl"), F_OK) == 0 && lines_of("gone/witness.jsonl") >= 3;
}

static bool is_missed(const char *name)
{
    const char *why = anchors_why(anchors);
    return strncmp(why, name, strlen(name)) == 0 && strlen(why) > strlen(name);
}

static bool is_file_missed(void)
{
    return is_missed("file: ");
}

static bool is_syslog_missed(void)
{
    return is_missed("syslog: ");
}

/* Anchors go on without it, and it gets all of them when it is there. */
static void a_dead_witness_holds_nothing_up(void)
{
    seal_begin();
    seal_open();
    const char *path = seal_path("gone/witness.jsonl");
    begin(&(struct anchors_options){.file = slice_str(path), .has_syslog = true, .syslog_path = seal_path("no-log"),
                                    .webhook = SLICE("http://127.0.0.1:9/anchors")});
    for (unsigned n = 1; n <= 3; n++) {
        commit(n, 1);
        anchors_sign(anchors);
        EXPECT_INT(n, last_seq());
    }
    run_until(is_file_missed);
    EXPECT_INT(0, mkdir(seal_path("gone"), 0700));
    run_until(is_file_there);
    run_until(is_syslog_missed); /* the first that takes none is named */
    end();
    seal_close();
    unlink(path);
    rmdir(seal_path("gone"));
    seal_end();
}

/* Nobody's link is followed, and nothing but a file is written to. */
static void a_link_is_no_witness(void)
{
    seal_begin();
    seal_open();
    EXPECT_INT(0, symlink(seal_path("elsewhere"), seal_path("link")));
    begin(&(struct anchors_options){.file = slice_str(seal_path("link")), .has_syslog = true,
                                    .syslog_path = seal_path("log")});
    int log = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%.100s", seal_path("log"));
    EXPECT_INT(0, bind(log, (struct sockaddr *)&at, sizeof at));
    commit(1, 1);
    char line[2048];
    ssize_t len = recv(log, line, sizeof line - 1, MSG_DONTWAIT);
    EXPECT(len > 0);
    line[len > 0 ? len : 0] = '\0';
    EXPECT(strncmp(line, "<85>", 4) == 0 && strstr(line, " moongate[") && strstr(line, "]: {\"moongate_anchor\":1,"));
    close(log);
    end();
    EXPECT(access(seal_path("elsewhere"), F_OK) != 0);
    seal_close();
    seal_end();
}

/* ---- A webhook. */

static int server, client;
static char got[8][2048];
static size_t got_bytes;
static unsigned got_count;
static struct loop_watch accepting, reading;

/* Refuses the first call, takes all others. */
static void on_piece(void *arg, unsigned ready)
{
    (void)arg;
    (void)ready;
    char *to = got[got_count % 8];
    ssize_t n = recv(client, to + got_bytes, sizeof got[0] - 1 - got_bytes, MSG_DONTWAIT);
    if (n > 0) got_bytes += (size_t)n;
    to[got_bytes] = '\0';
    if (n == 0) { /* it was given up: the next call begins anew */
        loop_watch_set(&reading, 0);
        close(client);
    }
    if (n <= 0 || to[got_bytes - 1] != '}') return;
    const char *answer = got_count++ ? "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
                                     : "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    EXPECT(send(client, answer, strlen(answer), MSG_NOSIGNAL) > 0);
    loop_watch_set(&reading, 0);
    close(client);
}

static void on_call(void *arg, unsigned ready)
{
    (void)arg;
    (void)ready;
    client = accept(server, NULL, NULL);
    got_bytes = 0;
    loop_watch_init(&reading, loop, client, on_piece, NULL);
    loop_watch_set(&reading, LOOP_READ);
}

static bool is_called_thrice(void)
{
    return got_count >= 3;
}

static void expect_call(const char *text, unsigned seq)
{
    char name[40], hex[65];
    unsigned char mac[32];
    const char *body = strstr(text, "\r\n\r\n");
    snprintf(name, sizeof name, "moongate-anchor: gw-1/%u\r\n", seq);
    EXPECT(strstr(text, "POST /anchors HTTP/1.1\r\n") == text);
    EXPECT(strcasestr(text, name) != NULL);
    HMAC(EVP_sha256(), "geheim", 6, (const unsigned char *)body + 4, strlen(body + 4), mac, NULL);
    hex_write(mac, sizeof mac, hex);
    EXPECT(strstr(text, hex) != NULL);
}

static void a_webhook_gets_each_anchor_in_order_until_it_takes_it(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    char url[64];
    seal_begin();
    seal_open();
    server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(bind(server, (struct sockaddr *)&at, len) == 0 && listen(server, 8) == 0);
    getsockname(server, (struct sockaddr *)&at, &len);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/anchors", ntohs(at.sin_port));
    begin(&(struct anchors_options){.webhook = slice_str(url), .secret = SLICE("geheim")});
    loop_watch_init(&accepting, loop, server, on_call, NULL);
    loop_watch_set(&accepting, LOOP_READ);
    commit(1, 1);
    commit(2, 1);
    anchors_sign(anchors);
    run_until(is_called_thrice);
    expect_call(got[0], 1);
    expect_call(got[1], 1);
    expect_call(got[2], 2);
    loop_watch_set(&accepting, 0);
    close(server);
    end();
    seal_close();
    seal_end();
}

static void a_new_key_is_announced_and_taken(void)
{
    struct fault why;
    seal_begin();
    seal_open();
    begin(&(struct anchors_options){.has_syslog = false});
    commit(1, 1);
    end();
    char old[ANCHOR_FINGERPRINT_BYTES];
    snprintf(old, sizeof old, "%s", anchor_key_public(seal_key)->fingerprint);
    EXPECT_INT(0, rename(seal_path(ANCHOR_PUBLIC_FILE), seal_path("old.pub")));
    EXPECT(anchor_key_make_next(seal_dir, &why));
    begin(&(struct anchors_options){.has_syslog = false});
    EXPECT(strcmp(old, anchor_key_public(seal_key)->fingerprint) != 0);
    EXPECT(access(seal_path(ANCHOR_NEXT_FILE), F_OK) != 0);
    commit(5, 1);
    EXPECT_INT(3, last_seq());
    end();
    seal_close();
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){
                                  .data_dir = seal_dir, .key_file = seal_path("old.pub"), .is_quick = true}));
    EXPECT_INT(3, seal_said.anchored_seq);
    seal_end();
}

int main(void)
{
    RUN(the_head_is_signed_at_the_start_the_end_and_when_much_came);
    RUN(a_file_gets_each_anchor);
    RUN(a_dead_witness_holds_nothing_up);
    RUN(a_link_is_no_witness);
    RUN(a_webhook_gets_each_anchor_in_order_until_it_takes_it);
    RUN(a_new_key_is_announced_and_taken);
    return unit_close("anchors");
}
