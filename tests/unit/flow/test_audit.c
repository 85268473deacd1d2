/* Records reach the file at the end of a turn, whole, in order, and what does not is told by name. */
#include "../unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/audit.h"

static char lost[64][64];
static size_t lost_count;
static bool is_counting_only;

static void on_lost(void *arg, struct slice id)
{
    (void)arg;
    if (!is_counting_only) snprintf(lost[lost_count], sizeof lost[0], "%.*s", SLICE_FMT(id));
    lost_count++;
}

static int open_file(void)
{
    char path[] = "/tmp/moongate-audit-XXXXXX";
    int fd = mkostemp(path, O_APPEND);
    EXPECT(fd >= 0);
    unlink(path);
    lost_count = 0;
    return fd;
}

static void add(struct audit *audit, char id[EXCHANGE_ID_BYTES])
{
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("chat"));
    exchange_move(x, EXCHANGE_SETTLING);
    audit_add(audit, x);
    exchange_move(x, EXCHANGE_RECORDED);
    if (id) memcpy(id, x->id, EXCHANGE_ID_BYTES);
    exchange_free(x);
}

static off_t size_of(int fd)
{
    struct stat st;
    EXPECT_INT(0, fstat(fd, &st));
    return st.st_size;
}

/* The ids of the file's lines that are whole, with a space behind each. */
static struct slice ids_in(int fd, struct buf *out)
{
    size_t len = (size_t)size_of(fd);
    char *text = mem_alloc(len);
    EXPECT_INT((long long)len, pread(fd, text, len, 0));
    struct slice rest = slice_of(text, len);
    buf_reset(out);
    while (rest.len) {
        struct slice line = slice_split(rest, '\n', &rest);
        if (!slice_starts(line, SLICE("{\"id\":\"")) || line.ptr[line.len - 1] != '}') continue;
        buf_append(out, slice_of(line.ptr + 7, EXCHANGE_ID_BYTES - 1));
        buf_append_char(out, ' ');
    }
    mem_free(text);
    return buf_slice(out);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turn(struct loop *loop)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, stop, loop);
    loop_timer_arm_ms(&timer, 1);
    loop_run(loop);
    loop_timer_disarm(&timer);
}

static void lines_wait_for_the_end_of_the_turn(void)
{
    struct loop *loop = loop_new();
    int fd = open_file();
    struct audit *audit = audit_new(loop, fd, on_lost, NULL);
    struct buf ids;
    char a[EXCHANGE_ID_BYTES], b[EXCHANGE_ID_BYTES], c[EXCHANGE_ID_BYTES], expected[4 * EXCHANGE_ID_BYTES];
    buf_init(&ids);
    add(audit, a);
    add(audit, b);
    EXPECT_INT(0, size_of(fd));
    turn(loop);
    snprintf(expected, sizeof expected, "%s %s ", a, b);
    EXPECT_SLICE(slice_str(expected), ids_in(fd, &ids));
    add(audit, c);
    audit_free(audit); /* writes the rest */
    snprintf(expected, sizeof expected, "%s %s %s ", a, b, c);
    EXPECT_SLICE(slice_str(expected), ids_in(fd, &ids));
    EXPECT_INT(0, lost_count);
    buf_clear(&ids);
    close(fd);
    loop_free(loop);
}

static void a_long_turn_does_not_hoard(void)
{
    struct loop *loop = loop_new();
    int fd = open_file();
    struct audit *audit = audit_new(loop, fd, on_lost, NULL);
    for (int i = 0; i < 1000; i++)
        add(audit, NULL);
    EXPECT(size_of(fd) > 64 * 1024);
    audit_free(audit);
    EXPECT_INT(0, lost_count);
    close(fd);
    loop_free(loop);
}

static void a_full_disk_loses_lines_by_name(void)
{
    struct loop *loop = loop_new();
    int fd = open("/dev/full", O_WRONLY | O_APPEND);
    lost_count = 0;
    struct audit *audit = audit_new(loop, fd, on_lost, NULL);
    char a[EXCHANGE_ID_BYTES], b[EXCHANGE_ID_BYTES];
    add(audit, a);
    add(audit, b);
    audit_free(audit);
    EXPECT_INT(2, lost_count);
    EXPECT_STR(a, lost[0]);
    EXPECT_STR(b, lost[1]);
    close(fd);
    loop_free(loop);
}

/* The disk fills in the middle of the second of three lines; there is room again for a fourth. */
static void half_a_line_spoils_no_other(void)
{
    struct loop *loop = loop_new();
    int fd = open_file();
    struct audit *audit = audit_new(loop, fd, on_lost, NULL);
    struct rlimit old, small;
    struct buf ids;
    char a[EXCHANGE_ID_BYTES], b[EXCHANGE_ID_BYTES], c[EXCHANGE_ID_BYTES], d[EXCHANGE_ID_BYTES];
    char expected[4 * EXCHANGE_ID_BYTES + 8];
    buf_init(&ids);
    add(audit, a);
    turn(loop);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = (rlim_t)size_of(fd) + 100;
    setrlimit(RLIMIT_FSIZE, &small);
    add(audit, b);
    add(audit, c);
    turn(loop);
    setrlimit(RLIMIT_FSIZE, &old);
    EXPECT_INT(0, lost_count);
    EXPECT(audit_is_failing(audit));
    add(audit, d);
    audit_free(audit);
    EXPECT_INT(0, lost_count);
    snprintf(expected, sizeof expected, "%s %s %s %s ", a, b, c, d);
    EXPECT_SLICE(slice_str(expected), ids_in(fd, &ids));
    buf_clear(&ids);
    close(fd);
    loop_free(loop);
}

static void a_disk_that_stays_full_holds_no_more_than_its_share(void)
{
    struct loop *loop = loop_new();
    int fd = open("/dev/full", O_WRONLY | O_APPEND);
    lost_count = 0;
    struct audit *audit = audit_new(loop, fd, on_lost, NULL);
    char first[EXCHANGE_ID_BYTES], id[EXCHANGE_ID_BYTES];
    add(audit, first);
    turn(loop);
    EXPECT(audit_is_failing(audit));
    for (int i = 0; i < 1000000 && lost_count < 3; i++)
        add(audit, id);
    EXPECT_INT(3, lost_count);
    EXPECT_STR(id, lost[2]);
    is_counting_only = true;
    audit_free(audit);
    is_counting_only = false;
    EXPECT(lost_count > 1000);
    close(fd);
    loop_free(loop);
}

int main(void)
{
    RUN(lines_wait_for_the_end_of_the_turn);
    RUN(a_long_turn_does_not_hoard);
    RUN(a_full_disk_loses_lines_by_name);
    RUN(half_a_line_spoils_no_other);
    RUN(a_disk_that_stays_full_holds_no_more_than_its_share);
    return unit_close("audit");
}
