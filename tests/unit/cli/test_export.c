/* Exports: cells that spreadsheets take for texts, lines that are JSON again, files that are whole or not there. */
#include "../files.h"
#include "../unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/export.h"

static char folder[64], path[96];

/* One row with this app, exported; the file's bytes. */
static void export_one(enum export_format format, const char *app, const char *body, struct buf *bytes)
{
    struct fault why = {0};
    struct export e;
    struct ledger_row row = {.seq = 7, .kind = CHAIN_EXCHANGE, .is_request = true, .id = "req_1", .cost_nano = 150003,
                             .time_us = 1793491200123000, .status = 200, .app = slice_str(app),
                             .outcome = SLICE("denied"), .body = slice_str(body)};
    unlink(path);
    EXPECT(export_open(&e, format, path, &why));
    EXPECT(export_row(&e, &row));
    EXPECT(export_close(&e, &why));
    EXPECT(read_file(folder, "out", bytes));
}

static void expect_cell(const char *app, const char *cell)
{
    struct buf bytes;
    char wanted[256];
    export_one(EXPORT_CSV, app, "{}", &bytes);
    snprintf(wanted, sizeof wanted, ",denied,%s,,", cell);
    buf_append_char(&bytes, '\0');
    if (!strstr(buf_ptr(&bytes), wanted)) UNIT_FAIL("%s: not %s in %s", app, wanted, buf_ptr(&bytes));
    buf_clear(&bytes);
}

static void no_cell_is_a_formula(void)
{
    expect_cell("bot", "bot");
    expect_cell("=1+1", "'=1+1");
    expect_cell("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
    expect_cell("+49", "'+49");
    expect_cell("-1", "'-1");
    expect_cell("@SUM(A1)", "'@SUM(A1)");
    expect_cell("\tx", "\"'\tx\"");
    expect_cell("\n=1", "\"'\n=1\"");
    expect_cell("＝1+1", "'＝1+1");
    expect_cell("＠x", "'＠x");
    expect_cell("ａ", "ａ");
    expect_cell("\rx", "'\\u000dx");
    expect_cell("a=1", "a=1");
}

static void what_separates_is_quoted_and_what_terminals_obey_is_spelt(void)
{
    expect_cell("a,b", "\"a,b\"");
    expect_cell("a;=1+1", "\"a;=1+1\"");
    expect_cell("a\t=1+1", "\"a\t=1+1\"");
    expect_cell("say \"hi\"", "\"say \"\"hi\"\"\"");
    expect_cell("two\nlines", "\"two\nlines\"");
    expect_cell("\033[2J", "\\u001b[2J");
    expect_cell("Zoë", "Zoë");
}

static size_t count_of(struct slice text, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == c;
    return n;
}

static void each_row_has_the_cells_of_the_header(void)
{
    struct buf bytes;
    export_one(EXPORT_CSV, "bot", "{\"decision\":{\"reason\":\"too late\"}}", &bytes);
    struct slice row, head = slice_split(buf_slice(&bytes), '\n', &row);
    EXPECT_INT(count_of(head, ','), count_of(row, ','));
    EXPECT(head.len && head.ptr[head.len - 1] == '\r' && row.len > 2 && row.ptr[row.len - 2] == '\r');
    EXPECT(slice_starts(head, SLICE("seq,kind,id,time,usd,time_us,")));
    EXPECT(slice_starts(row, SLICE("7,exchange,req_1,2026-11-01T00:00:00.123Z,0.000150003,1793491200123000,")));
    buf_append_char(&bytes, '\0');
    EXPECT(strstr(buf_ptr(&bytes), ",too late,0000") != NULL);
    buf_clear(&bytes);
}

static void a_line_of_json_has_the_text_that_was_hashed(void)
{
    static const char body[] = "{\"app\":\"\\u0007 \x7f \xe2\x80\xae \xc2\x9b ö\"}";
    struct buf bytes;
    export_one(EXPORT_JSONL, "bot", body, &bytes);
    json_t *line = json_loadb(buf_ptr(&bytes), buf_len(&bytes), 0, NULL);
    EXPECT_STR(body, json_string_value(json_object_get(line, "body")));
    EXPECT_STR("exchange", json_string_value(json_object_get(line, "kind")));
    EXPECT_INT(7, json_integer_value(json_object_get(line, "seq")));
    EXPECT(memchr(buf_ptr(&bytes), 0x7f, buf_len(&bytes)) == NULL);
    EXPECT_INT(1, count_of(buf_slice(&bytes), '\n'));
    json_decref(line);
    buf_clear(&bytes);
}

static void a_file_is_private_and_never_overwritten(void)
{
    struct export e;
    struct fault why = {0};
    struct stat st;
    struct buf bytes;
    export_one(EXPORT_CSV, "bot", "{}", &bytes);
    buf_clear(&bytes);
    EXPECT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    EXPECT(!export_open(&e, EXPORT_CSV, path, &why));
    EXPECT(strstr(why.text, "nothing is ever overwritten") != NULL);
}

static void a_full_disk_leaves_no_half_of_a_file(void)
{
    struct export e;
    struct fault why = {0};
    unlink(path);
    EXPECT(export_open(&e, EXPORT_CSV, path, &why));
    close(e.fd);
    e.fd = -1; /* every write fails */
    EXPECT(!export_close(&e, &why));
    EXPECT(strstr(why.text, "not whole") && access(path, F_OK) != 0);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/moongate-export-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/out", folder);
    RUN(no_cell_is_a_formula);
    RUN(what_separates_is_quoted_and_what_terminals_obey_is_spelt);
    RUN(each_row_has_the_cells_of_the_header);
    RUN(a_line_of_json_has_the_text_that_was_hashed);
    RUN(a_file_is_private_and_never_overwritten);
    RUN(a_full_disk_leaves_no_half_of_a_file);
    unlink(path);
    rmdir(folder);
    return unit_close("export");
}
