/* The words of --where: what each finds among a few requests, and what is refused with a cure. */
#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "ledger_made.h"
#include "store/ledger/read.h"

static sqlite3 *db;
static char folder[64];

static void make(void)
{
    db = made_open(folder);
    made_request(db, 1, "ok", "department='Sales', app='bot', user='ana', model='gpt-4o', cost_nano=500000000, "
                              "input_tokens=900, output_tokens=100, duration_us=2000000, attempts=1");
    made_request(db, 2, "ok", "department='Support', app='bot', user='bo', model='gpt-4o-mini', cost_nano=500000001, "
                              "input_tokens=999, duration_us=1999999, attempts=2, cache='hit'");
    made_request(db, 3, "denied", "department='Sales', app='copilot', user='100%', model='claude', status=403, "
                                  "code='model_not_allowed', rule='night_*', policy='access', model_asked='opus'");
    made_request(db, 4, "upstream_error", "department='R&D, north', app='a''b', user='x_y', model='[m]', status=502, "
                                          "session='s1', prompt='support/reply', target='acme/large', provider='acme'");
    made_request(db, 5, "ok", "department='', app='say \"hi\"', user='O''Brien\\', key_id='key_7Q2f', data='restricted'");
    for (int seq = 1; seq <= 5; seq++)
        made_entry(db, seq, seq == 1 ? CHAIN_IMPORT : CHAIN_EXCHANGE,
                   seq == 2   ? "{\"identity\":{\"labels\":{\"cost_center\":\"47*11\",\"site\":\"kiel\"}},\"labels\":[\"eu\"]}"
                   : seq == 3 ? "{\"decision\":{\"reason\":\"Sales may not use 100% of it_all\"},\"labels\":[\"eu\",\"eu=x\"]}"
                   : seq == 4 ? "{\"fault\":{\"text\":\"the provider fell silent\"}}"
                              : "not JSON");
}

static bool see(void *arg, const struct ledger_row *row)
{
    buf_printf(arg, "%d", (int)row->seq);
    return true;
}

/* "134": the requests that fit; else the first line of what is wrong, and some of the cure behind it. */
static void expect(const char *where, const char *wanted, const char *cure)
{
    struct fault why = {0};
    struct buf seen;
    struct ledger_page page = {.is_oldest_first = true};
    struct ledger_filter *filter = ledger_filter_new();
    struct ledger_read *l = ledger_read_open(folder, &why);
    buf_init(&seen);
    struct slice rest = slice_str(where);
    bool ok = l != NULL;
    while (ok && rest.len) /* several, as separate words */
        ok = ledger_filter_add(filter, slice_split(rest, '\n', &rest), &why);
    ok = ok && ledger_read_page(l, filter, &page, see, &seen, &why);
    struct slice got = ok ? buf_slice(&seen) : slice_of(why.text, strcspn(why.text, "\n"));
    if (!slice_equal(slice_str(wanted), got)) UNIT_FAIL("%s: expected %s, got %.*s", where, wanted, SLICE_FMT(got));
    if (cure && !strstr(why.text + strcspn(why.text, "\n"), cure)) UNIT_FAIL("%s: %s", where, why.text);
    buf_clear(&seen);
    ledger_read_close(l);
    ledger_filter_free(filter);
}

static void texts_are_equal_or_one_of_several(void)
{
    expect("department:Sales", "13", NULL);
    expect("department=Sales", "13", NULL);
    expect("department:sales", "", NULL);
    expect("department:Sales,Support", "123", NULL);
    expect("department:", "5", NULL);
    expect("department:Sales,", "135", NULL);
    expect("key:key_7Q2f", "5", NULL);
    expect("asked:opus", "3", NULL);
    expect("target:acme/large", "4", NULL);
    expect("session:s1\nprompt:support/reply", "4", NULL);
    expect("cache:hit", "2", NULL);
    expect("data:restricted", "5", NULL);
    expect("api:chat", "12345", NULL);
    expect("policy:access", "3", NULL);
}

static void labels_are_of_keys_and_of_data(void)
{
    expect("label:cost_center=47*11", "2", NULL);
    expect("label=\"cost_center=47*11\"", "2", NULL);
    expect("label:site=*", "2", NULL);
    expect("label:site", "", NULL);
    expect("label:eu", "23", NULL);
    expect("label:eu\nlabel:site=kiel", "2", NULL);
    expect("label:eu=x,site=kiel", "23", NULL);
    expect("!label:eu", "145", NULL);
    expect("label:", "145", NULL);
    expect("!label:", "23", NULL);
    expect("label:' OR 1 --", "", NULL);
    expect("label>5", "label is not a number", "label:VALUE");
}

static void conditions_hold_together_and_not_turns_one(void)
{
    expect("department:Sales\napp:bot", "1", NULL);
    expect("!department:Sales", "245", NULL);
    expect("department!=Sales", "245", NULL);
    expect("!department!=Sales", "13", NULL);
    expect("!department:Sales,Support", "45", NULL);
    expect("!usd>0.5", "1345", NULL);
}

static void a_star_stands_for_any_text_and_nothing_else_does(void)
{
    expect("model:gpt-4*", "12", NULL);
    expect("model:*mini", "2", NULL);
    expect("model:*", "12345", NULL);
    expect("model:g*-*", "12", NULL);
    expect("model:[m]", "4", NULL);
    expect("model:[m*", "4", NULL);
    expect("model:gpt-4?", "", NULL);
    expect("model:g?t*", "", NULL);
    expect("rule:night_*", "3", NULL);
    expect("rule:\"night_*\"", "3", NULL);
    expect("rule:\"n*\"", "", NULL);
    expect("rule:n*\"*\"", "3", NULL);
    expect("status:4*", "3", NULL);
    expect("model:a*b*c*d*e*f*g*h*i*", "more than 8 stars in one value", "fewer");
}

static void quotes_hold_what_would_mean_something(void)
{
    expect("department:\"R&D, north\"", "4", NULL);
    expect("department:R&D, north", "", NULL);
    expect("app:\"say \"\"hi\"\"\"", "5", NULL);
    expect("app:\"say", "a quote has no end", "both sides");
}

static void nothing_that_is_written_becomes_sql(void)
{
    expect("app:a'b", "4", NULL);
    expect("user:O'Brien\\", "5", NULL);
    expect("user:100%", "3", NULL);
    expect("user:%", "", NULL);
    expect("user:_____", "", NULL);
    expect("user:' OR 1=1 --", "", NULL);
    expect("' OR 1=1 --", "", NULL);
    expect("user:'); DROP TABLE records; --", "", NULL);
    expect("?1", "", NULL);
    expect("user:?1", "", NULL);
    expect("app:bot", "12", NULL);
}

static void numbers_compare_exactly(void)
{
    expect("usd>0.5", "2", NULL);
    expect("usd>=0.5", "12", NULL);
    expect("usd=0.5", "1", NULL);
    expect("usd:0.5,0.500000001", "12", NULL);
    expect("usd<0.500000001\nusd>0", "1", NULL);
    expect("tokens>=1000", "1", NULL);
    expect("tokens<=999\ntokens>0", "2", NULL);
    expect("input>0\noutput:0", "2", NULL);
    expect("ms>=2000", "1", NULL);
    expect("ms<2000\nms>1999.998", "2", NULL);
    expect("status:403", "3", NULL);
    expect("status:403,502", "34", NULL);
    expect("status>=500", "4", NULL);
    expect("attempts>1", "2", NULL);
}

static void what_is_no_number_is_refused(void)
{
    expect("usd>1e9", "usd: `1e9` is not a number, or more than can be counted", "usd>0.5");
    expect("usd>-1", "usd: `-1` is not a number, or more than can be counted", NULL);
    expect("usd>0.0000000001", "usd: `0.0000000001` is not a number, or more than can be counted", NULL);
    expect("usd>9223372036", "", NULL);
    expect("usd>9223372037", "usd: `9223372037` is not a number, or more than can be counted", NULL);
    expect("tokens>9223372036854775807", "", NULL);
    expect("tokens>18446744073709551615", "tokens: `18446744073709551615` is not a number, or more than can be counted",
           NULL);
    expect("tokens>99999999999999999999999", "tokens: `99999999999999999999999` is not a number, or more than can be "
                                             "counted", NULL);
    expect("tokens>1.5", "tokens: `1.5` is not a number, or more than can be counted", NULL);
    expect("ms>", "ms: `` is not a number, or more than can be counted", NULL);
    expect("usd>1,2", "usd is compared with one number", "each");
    expect("app>5", "app is not a number", "compare");
}

static void unknown_names_say_the_nearest(void)
{
    expect("depratment:Sales", "there is no `depratment` to look by", "did you mean `department`?");
    expect("cost>5", "there is no `cost` to look by", "there are app, department");
    expect("http://x", "there is no `http` to look by", "in quotes");
    expect("kind:exchnge", "there is no kind `exchnge`", "exchange, intent");
}

static void kinds_are_a_set(void)
{
    expect("kind:exchange", "2345", NULL);
    expect("kind:import", "1", NULL);
    expect("!kind:import", "2345", NULL);
    expect("kind:ex*,import", "12345", NULL);
    expect("kind:change", "", NULL);
    expect("kind:exchange\nkind:import", "", NULL);
    expect("actor:kim", "", NULL);
}

static void words_are_found_in_ids_names_and_reasons(void)
{
    expect("opus", "3", NULL);
    expect("SALES", "13", NULL);
    expect("!sales", "245", NULL);
    expect("it_all", "3", NULL);
    expect("itxall", "", NULL);
    expect("100%", "3", NULL);
    expect("silent", "4", NULL);
    expect("req_0199f3a2-7c41-7000-8000-000000000004", "4", NULL);
    expect("0199f3a27c4170008000000000000005", "5", NULL);
    expect("req_", "12345", NULL);
    expect("\"model:x\"", "", NULL);
    expect("\"\"", "an empty condition", "department:Sales");
    expect("!", "an empty condition", "department:Sales");
}

static void there_is_an_end_to_what_is_taken(void)
{
    struct fault why = {0};
    char text[LIMIT_FILTER_BYTES + 2];
    struct ledger_filter *filter = ledger_filter_new();
    memset(text, 'a', sizeof text);
    EXPECT(!ledger_filter_add(filter, slice_of(text, sizeof text), &why));
    memset(text, ',', LIMIT_FILTER_VALUES + 4);
    memcpy(text, "app:", 4);
    EXPECT(!ledger_filter_add(filter, slice_of(text, LIMIT_FILTER_VALUES + 4), &why));
    EXPECT(!ledger_filter_add(filter, slice_of("app:\xff", 5), &why));
    EXPECT(!ledger_filter_add(filter, slice_of("app:\0x", 6), &why));
    EXPECT(ledger_filter_is_empty(filter));
    for (unsigned i = 0; i < LIMIT_FILTER_TERMS; i++)
        EXPECT(ledger_filter_add(filter, SLICE("app:x"), &why));
    EXPECT(!ledger_filter_add(filter, SLICE("app:x"), &why));
    ledger_filter_free(filter);
}

int main(void)
{
    make();
    RUN(texts_are_equal_or_one_of_several);
    RUN(labels_are_of_keys_and_of_data);
    RUN(conditions_hold_together_and_not_turns_one);
    RUN(a_star_stands_for_any_text_and_nothing_else_does);
    RUN(quotes_hold_what_would_mean_something);
    RUN(nothing_that_is_written_becomes_sql);
    RUN(numbers_compare_exactly);
    RUN(what_is_no_number_is_refused);
    RUN(unknown_names_say_the_nearest);
    RUN(kinds_are_a_set);
    RUN(words_are_found_in_ids_names_and_reasons);
    RUN(there_is_an_end_to_what_is_taken);
    made_close(db, folder);
    return unit_close("ledger_filter");
}
