/* The ledger's copy: each record once, whatever happens to the file, the disk and the process in between. */
#include "../store/ledger_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "ledger/copy.h"
#include "net/loop.h"
#include "store/ledger/follow.h"

static struct loop *loop;
static struct ledger *l;
static char path[96];

static void begin(void)
{
    static const char *const names[] = {"copy.jsonl", "copy.1", "copy.2"};
    kit_fresh();
    for (size_t i = 0; i < 3; i++) {
        kit_path(path, names[i]);
        unlink(path);
    }
    kit_path(path, "copy.jsonl");
    loop = loop_new();
    l = kit_open();
}

static void finish(void)
{
    ledger_close(l);
    loop_free(loop);
}

static void commit(uint64_t from, uint64_t to)
{
    kit_begin(l);
    for (uint64_t n = from; n < to; n++)
        EXPECT_INT(LEDGER_STORED, kit_put(l, n));
    kit_commit(l);
}

static void append(const char *name, struct slice text)
{
    char full[96];
    kit_path(full, name);
    int fd = open(full, O_WRONLY | O_APPEND | O_CREAT, 0600);
    EXPECT(fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len);
    close(fd);
}

static void read_file(const char *name, struct buf *out)
{
    char full[96];
    ssize_t got;
    kit_path(full, name);
    int fd = open(full, O_RDONLY);
    while (fd >= 0 && (got = read(fd, buf_reserve(out, 65536), 65536)) > 0)
        buf_grew(out, (size_t)got);
    if (fd >= 0) close(fd);
}

static void want_lines(struct buf *out, uint64_t from, uint64_t to)
{
    struct buf body;
    buf_init(&body);
    for (uint64_t n = from; n < to; n++) {
        kit_body(&body, n, KIT_TIME);
        buf_append(out, buf_slice(&body));
        buf_append_char(out, '\n');
    }
    buf_clear(&body);
}

static void expect_file(const char *name, uint64_t from, uint64_t to)
{
    struct buf want, got;
    buf_init(&want);
    buf_init(&got);
    want_lines(&want, from, to);
    read_file(name, &got);
    if (!slice_equal(buf_slice(&want), buf_slice(&got)))
        UNIT_FAIL("%s is not records %d to %d: %zu bytes, not %zu", name, (int)from, (int)to, buf_len(&got),
                  buf_len(&want));
    buf_clear(&want);
    buf_clear(&got);
}

static struct copy *open_copy(void)
{
    return copy_new(loop, l, path);
}

static void begins_with_what_comes_when_it_is_asked_for(void)
{
    begin();
    commit(0, 3);
    struct copy *c = open_copy();
    commit(3, 700); /* more than a slice */
    copy_follow(c);
    loop_run(loop);
    expect_file("copy.jsonl", 3, 700);
    EXPECT_INT(700, copy_position(c));
    copy_free(c);
    finish();
}

static void goes_on_where_it_stopped(void)
{
    begin();
    copy_free(open_copy());
    commit(0, 5);
    struct copy *c = open_copy();
    copy_all(c);
    expect_file("copy.jsonl", 0, 5);
    copy_free(c);
    commit(5, 9);
    c = open_copy();
    copy_all(c);
    expect_file("copy.jsonl", 0, 9);
    copy_free(c);
    finish();
}

/* Of a process that was killed the file may have more than any mark says. */
static void the_files_last_line_counts_more_than_a_mark(void)
{
    struct fault why;
    begin();
    copy_free(open_copy());
    commit(0, 6);
    struct copy *c = open_copy();
    copy_all(c);
    copy_free(c);
    EXPECT(ledger_mark(l, "copy", 2, &why));
    commit(6, 8);
    c = open_copy();
    copy_all(c);
    expect_file("copy.jsonl", 0, 8);
    copy_free(c);
    finish();
}

static void half_a_line_is_completed(void)
{
    struct buf line;
    begin();
    copy_free(open_copy());
    commit(0, 3);
    buf_init(&line);
    want_lines(&line, 0, 2);
    append("copy.jsonl", slice_of(buf_ptr(&line), buf_len(&line) - 20)); /* killed in the middle of the second */
    buf_clear(&line);
    struct copy *c = open_copy();
    copy_all(c);
    expect_file("copy.jsonl", 0, 3);
    copy_free(c);
    finish();
}

static void half_a_line_of_something_else_is_ended(void)
{
    struct buf got;
    begin();
    copy_free(open_copy());
    commit(0, 2);
    append("copy.jsonl", SLICE("{\"half"));
    struct copy *c = open_copy();
    copy_all(c);
    copy_free(c);
    buf_init(&got);
    read_file("copy.jsonl", &got);
    EXPECT(slice_starts(buf_slice(&got), SLICE("{\"half\n{\"id\"")));
    buf_clear(&got);
    finish();
}

static void a_renamed_file_is_left(void)
{
    char renamed[96];
    begin();
    struct copy *c = open_copy();
    commit(0, 2);
    copy_all(c);
    kit_path(renamed, "copy.1");
    EXPECT_INT(0, rename(path, renamed));
    commit(2, 4);
    copy_all(c); /* nobody has said anything yet */
    copy_reopen(c);
    commit(4, 6);
    copy_all(c);
    expect_file("copy.1", 0, 4);
    expect_file("copy.jsonl", 4, 6);
    copy_free(c);
    finish();
}

/* Killed between the renaming and the signal: what the renamed file has is not written again. */
static void a_renamed_file_is_remembered(void)
{
    struct fault why;
    char renamed[96];
    begin();
    struct copy *c = open_copy();
    commit(0, 2);
    copy_all(c);
    kit_path(renamed, "copy.1");
    EXPECT_INT(0, rename(path, renamed));
    commit(2, 4);
    copy_all(c);
    copy_free(c);
    EXPECT(ledger_mark(l, "copy", 1, &why)); /* as if it had been a second ago */
    commit(4, 5);
    c = open_copy();
    copy_all(c);
    expect_file("copy.1", 0, 4);
    expect_file("copy.jsonl", 4, 5);
    copy_free(c);
    finish();
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    EXPECT_INT(0, setrlimit(RLIMIT_FSIZE, &limit));
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void what_a_full_disk_does_not_take_waits(void)
{
    struct loop_timer timer;
    begin();
    struct copy *c = open_copy();
    commit(0, 20);
    set_file_limit(1500); /* in the middle of the second line */
    copy_follow(c);
    loop_timer_init(&timer, loop, stop, NULL);
    loop_timer_arm_ms(&timer, 50);
    loop_run(loop);
    set_file_limit(RLIM_INFINITY);
    EXPECT(copy_why(c)[0] != '\0');
    EXPECT(copy_position(c) < 3);
    while (copy_position(c) < 20) {
        loop_timer_arm_ms(&timer, 50);
        loop_run(loop);
    }
    EXPECT_STR("", copy_why(c));
    expect_file("copy.jsonl", 0, 20);
    copy_free(c);
    loop_timer_disarm(&timer);
    finish();
}

static void a_link_is_not_written_to(void)
{
    char elsewhere[96];
    begin();
    kit_path(elsewhere, "copy.2");
    append("copy.2", SLICE(""));
    EXPECT_INT(0, symlink(elsewhere, path));
    struct copy *c = open_copy();
    commit(0, 2);
    copy_all(c);
    EXPECT(strstr(copy_why(c), "not a file of this user's own") != NULL);
    EXPECT_INT(0, unlink(path));
    copy_all(c); /* it was moved away */
    expect_file("copy.jsonl", 0, 2);
    copy_free(c);
    finish();
}

/* Only root can make one. */
static void a_file_of_another_user_is_not_written_to(void)
{
    if (geteuid() != 0) return;
    begin();
    append("copy.jsonl", SLICE(""));
    EXPECT_INT(0, chown(path, 65534, 65534));
    struct copy *c = open_copy();
    commit(0, 2);
    copy_all(c);
    EXPECT(strstr(copy_why(c), "not a file of this user's own") != NULL);
    expect_file("copy.jsonl", 0, 0);
    copy_free(c);
    finish();
}

static void one_that_was_not_wanted_for_a_while_begins_anew(void)
{
    begin();
    struct copy *c = open_copy();
    commit(0, 2);
    copy_all(c);
    copy_free(c);
    copy_forget(l);
    commit(2, 4);
    EXPECT_INT(0, unlink(path));
    c = open_copy();
    commit(4, 5);
    copy_all(c);
    expect_file("copy.jsonl", 4, 5);
    copy_free(c);
    finish();
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    RUN(begins_with_what_comes_when_it_is_asked_for);
    RUN(goes_on_where_it_stopped);
    RUN(the_files_last_line_counts_more_than_a_mark);
    RUN(half_a_line_is_completed);
    RUN(half_a_line_of_something_else_is_ended);
    RUN(a_renamed_file_is_left);
    RUN(a_renamed_file_is_remembered);
    RUN(what_a_full_disk_does_not_take_waits);
    RUN(a_link_is_not_written_to);
    RUN(a_file_of_another_user_is_not_written_to);
    RUN(one_that_was_not_wanted_for_a_while_begins_anew);
    begin();
    finish();
    kit_end();
    return unit_close("copy");
}
