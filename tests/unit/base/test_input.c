/* Files that somebody named: by lines, whole, never more than was asked for, and none that is waited for. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/input.h"

static char folder[64], path[96];

static void write_file(struct slice text)
{
    FILE *file = fopen(path, "w");
    EXPECT(file && fwrite(text.ptr, 1, text.len, file) == text.len && fclose(file) == 0);
}

static void open_it(struct input *in)
{
    struct fault why;
    EXPECT(input_open(in, path, &why));
}

static void lines_come_one_by_one_and_the_last_needs_no_end(void)
{
    struct fault why;
    struct input in;
    struct slice line;
    write_file(SLICE("one\n\ntwo\0three\nlast"));
    open_it(&in);
    EXPECT(input_line(&in, 100, &line, &why) == INPUT_LINE && slice_equal(line, SLICE("one")));
    EXPECT(input_line(&in, 100, &line, &why) == INPUT_LINE && line.len == 0);
    EXPECT(input_line(&in, 100, &line, &why) == INPUT_LINE && slice_equal(line, SLICE("two\0three")));
    EXPECT(input_line(&in, 100, &line, &why) == INPUT_LINE && slice_equal(line, SLICE("last")));
    EXPECT_INT(4, in.line);
    EXPECT(input_line(&in, 100, &line, &why) == INPUT_END);
    EXPECT(input_line(&in, 100, &line, &why) == INPUT_END);
    input_close(&in);
}

/* Of several blocks, with a newline at their borders too. */
static void a_long_line_is_whole(void)
{
    struct fault why;
    struct input in;
    struct slice line;
    struct buf text;
    buf_init(&text);
    for (size_t i = 0; i < 262143; i++)
        buf_append_char(&text, 'a');
    buf_append_char(&text, '\n');
    for (size_t i = 0; i < 700000; i++)
        buf_append_char(&text, 'b');
    buf_append(&text, SLICE("\nend\n"));
    write_file(buf_slice(&text));
    open_it(&in);
    EXPECT(input_line(&in, 1u << 20, &line, &why) == INPUT_LINE && line.len == 262143 && line.ptr[262142] == 'a');
    EXPECT(input_line(&in, 1u << 20, &line, &why) == INPUT_LINE && line.len == 700000 && line.ptr[0] == 'b');
    EXPECT(input_line(&in, 1u << 20, &line, &why) == INPUT_LINE && slice_equal(line, SLICE("end")));
    EXPECT(input_line(&in, 1u << 20, &line, &why) == INPUT_END);
    input_close(&in);
    buf_clear(&text);
}

static void what_is_too_much_is_refused(void)
{
    struct fault why;
    struct input in;
    struct slice line;
    struct buf all;
    buf_init(&all);
    write_file(SLICE("12345\n123456\n"));
    open_it(&in);
    EXPECT(input_line(&in, 5, &line, &why) == INPUT_LINE);
    EXPECT(input_line(&in, 5, &line, &why) == INPUT_FAILED && strstr(why.text, "line 2 has more than 5 bytes"));
    input_close(&in);
    EXPECT(input_open(&in, "/dev/zero", &why));
    EXPECT(input_line(&in, 1000, &line, &why) == INPUT_FAILED);
    EXPECT(!input_all(&in, 1000, &all, &why) && strstr(why.text, "/dev/zero: more than 1000 bytes"));
    input_close(&in);
    open_it(&in);
    buf_reset(&all);
    EXPECT(input_all(&in, 13, &all, &why) && slice_equal(buf_slice(&all), SLICE("12345\n123456\n")));
    input_close(&in);
    buf_clear(&all);
}

static void nobody_is_waited_for(void)
{
    struct fault why;
    struct input in;
    struct slice line;
    EXPECT(!input_open(&in, folder, &why) && strstr(why.text, "Is a directory"));
    input_close(&in);
    unlink(path);
    EXPECT(!input_open(&in, path, &why) && strstr(why.text, "No such file"));
    input_close(&in);
    EXPECT(!input_is_odd(folder) && !input_is_odd(path));
    EXPECT(mkfifo(path, 0600) == 0 && input_is_odd(path) && input_is_odd("/dev/null"));
    alarm(10);
    open_it(&in);
    EXPECT(input_line(&in, 100, &line, &why) == INPUT_END);
    alarm(0);
    input_close(&in);
}

static const char *in_folder(const char *name)
{
    static char at[128];
    snprintf(at, sizeof at, "%s/%s", folder, name);
    return at;
}

static void refuse(const char *name, const char *what, const char *cure)
{
    struct fault why = {.code = FAULT_NONE};
    EXPECT(!input_is_file(name, &why));
    EXPECT(strstr(fault_message(&why), name) != NULL);
    if (!strstr(fault_message(&why), what) || !strstr(fault_message(&why), cure)) UNIT_FAIL("%s", fault_message(&why));
}

static void what_is_no_file_is_told_apart(void)
{
    static const char *const names[] = {"pipe", "socket", "link-to-pipe", "link"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    EXPECT_INT(0, mkfifo(in_folder("pipe"), 0600));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", in_folder("socket"));
    EXPECT_INT(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    EXPECT_INT(0, symlink("pipe", in_folder("link-to-pipe")));
    refuse(in_folder("pipe"), "is a pipe", "into a file");
    refuse(in_folder("link-to-pipe"), "is a pipe", "into a file");
    refuse(in_folder("socket"), "is a socket", "into a file");
    refuse("/dev/zero", "is a device", "into a file");
    refuse(folder, "is a folder", "name a file in it");
    refuse(in_folder("nothing"), "No such file", "is the name right");
    refuse(in_folder("pipe/below"), "Not a directory", "is the name right");
    unlink(path);
    write_file(SLICE("x"));
    EXPECT_INT(0, symlink("in", in_folder("link")));
    EXPECT(input_is_file(in_folder("link"), &(struct fault){0}));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_folder(names[i]));
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/moongate-input-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/in", folder);
    RUN(lines_come_one_by_one_and_the_last_needs_no_end);
    RUN(a_long_line_is_whole);
    RUN(what_is_too_much_is_refused);
    RUN(nobody_is_waited_for);
    RUN(what_is_no_file_is_told_apart);
    unlink(path);
    rmdir(folder);
    return unit_close("input");
}
