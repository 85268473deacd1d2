/* An older audit.jsonl on its way into the ledger: once, whatever stands in it and whenever the process dies. */
#include "../store/ledger_kit.h"

#include <fcntl.h>

#include "base/limits.h"
#include "ledger/commit.h"
#include "ledger/import.h"
#include "net/loop.h"

static char path[96];

static void on_begin(void *arg)
{
    (void)arg;
}

static void on_batch(void *arg, const struct commit_batch *batch)
{
    (void)batch;
    loop_stop(arg);
}

static void on_state(void *arg, bool is_failing, const char *why)
{
    (void)arg;
    if (is_failing) UNIT_FAIL("%s", why);
}

static const struct commit_events events = {on_begin, on_batch, on_state};

static void write_file(struct slice text)
{
    kit_path(path, "audit.jsonl");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT(fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len);
    close(fd);
}

static void append_line(struct buf *out, uint64_t n)
{
    struct buf body;
    buf_init(&body);
    kit_body(&body, n, KIT_TIME);
    buf_append(out, buf_slice(&body));
    buf_append_char(out, '\n');
    buf_clear(&body);
}

/* `slices`: the process dies behind so many; UINT_MAX: it goes on to the end. */
static void import(unsigned slices)
{
    struct loop *loop = loop_new();
    struct ledger *l = kit_open();
    struct commit *c = commit_new(loop, &events, loop);
    struct import *i = import_new(path, c);
    commit_open(c, l, NULL);
    while (i && slices-- && import_some(i)) {
        if (commit_waiting(c)) loop_run(loop);
    }
    import_free(i);
    commit_free(c);
    ledger_close(l);
    loop_free(loop);
}

static void expect_renamed(const char *name)
{
    char full[96];
    kit_path(full, name);
    EXPECT(access(path, F_OK) != 0);
    EXPECT_INT(0, unlink(full));
}

static void each_line_becomes_an_entry(void)
{
    struct buf text;
    kit_fresh();
    buf_init(&text);
    for (uint64_t n = 0; n < 1000; n++)
        append_line(&text, n);
    write_file(buf_slice(&text));
    buf_clear(&text);
    import(UINT_MAX);
    kit_verify(1000);
    EXPECT_STR("1000|7|7", kit_ask("SELECT count(*), min(kind), max(kind) FROM chain"));
    EXPECT_STR("1000", kit_ask("SELECT count(*) FROM records WHERE app LIKE 'app-%'"));
    expect_renamed("audit.jsonl.imported");
}

static void one_that_was_broken_off_doubles_nothing(void)
{
    struct buf text;
    kit_fresh();
    buf_init(&text);
    for (uint64_t n = 0; n < 1000; n++)
        append_line(&text, n);
    write_file(buf_slice(&text));
    buf_clear(&text);
    import(2);
    EXPECT(access(path, F_OK) == 0);
    import(1);
    import(UINT_MAX);
    kit_verify(1000);
    expect_renamed("audit.jsonl.imported");
    import(UINT_MAX); /* there is nothing */
    kit_verify(1000);
}

static void what_is_no_record_is_left_out(void)
{
    struct buf text;
    kit_fresh();
    buf_init(&text);
    append_line(&text, 1);
    buf_append(&text, SLICE("{\"id\":\"req_0193\n\n[]\nnull\n{\"id\":7}\n{\"id\":\"req_0193-zz\"}\n{\"app\":\"x\"}\n"));
    append_line(&text, 2);
    for (unsigned i = 0; i < LIMIT_PIPE_MESSAGE_BYTES + 1000; i++) /* longer than any record */
        buf_append_char(&text, 'x');
    buf_append_char(&text, '\n');
    append_line(&text, 3);
    append_line(&text, 4);
    write_file(slice_of(buf_ptr(&text), buf_len(&text) - 1)); /* without the last newline */
    buf_clear(&text);
    import(UINT_MAX);
    kit_verify(4);
    expect_renamed("audit.jsonl.imported");
}

static void another_one_does_not_overwrite_the_first(void)
{
    struct buf text;
    char first[96];
    kit_fresh();
    for (uint64_t n = 0; n < 2; n++) {
        buf_init(&text);
        append_line(&text, n);
        write_file(buf_slice(&text));
        buf_clear(&text);
        import(UINT_MAX);
    }
    kit_verify(2);
    expect_renamed("audit.jsonl.imported.1");
    kit_path(first, "audit.jsonl.imported");
    EXPECT_INT(0, unlink(first));
}

static void a_link_is_left_alone(void)
{
    kit_fresh();
    kit_path(path, "audit.jsonl");
    EXPECT_INT(0, symlink("/etc/passwd", path));
    import(UINT_MAX);
    EXPECT_STR("0", kit_ask("SELECT count(*) FROM chain"));
    EXPECT_INT(0, unlink(path));
}

int main(void)
{
    RUN(each_line_becomes_an_entry);
    RUN(one_that_was_broken_off_doubles_nothing);
    RUN(what_is_no_record_is_left_out);
    RUN(another_one_does_not_overwrite_the_first);
    RUN(a_link_is_left_alone);
    kit_end();
    return unit_close("import");
}
