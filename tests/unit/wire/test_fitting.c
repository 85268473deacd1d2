/* Bodies made to fit a server: what goes, what has another name, what of it is told; all else byte for byte. */
#include "../unit.h"

#include "wire/fitting.h"

static void expect(const char *rejects, const char *renames, const char *body, const char *want, const char *told)
{
    struct fitting f = {.rejects = slice_str(rejects), .renames = slice_str(renames)};
    struct json_tape tape;
    struct arena arena;
    struct splice edits;
    struct buf out, names;
    struct fault why;
    struct dropped dropped = {.count = 0};
    json_init(&tape);
    arena_init(&arena);
    buf_init(&out);
    buf_init(&names);
    EXPECT(json_parse(&tape, slice_str(body), &why));
    bool is_touched = fitting_touches(&f, &tape);
    splice_init(&edits, &tape, slice_str(body), &arena);
    fitting_edit(&f, &edits, &dropped);
    splice_apply(&edits, &out);
    dropped_write(&dropped, &names);
    EXPECT(is_touched == (strcmp(body, want) != 0));
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    EXPECT_SLICE(slice_str(told), buf_len(&names) ? buf_slice(&names) : SLICE(""));
    json_clear(&tape);
    EXPECT(json_parse(&tape, buf_slice(&out), &why));
    EXPECT(!fitting_touches(&f, &tape));
    json_clear(&tape);
    buf_clear(&out);
    buf_clear(&names);
    arena_clear(&arena);
}

static void members_of_the_root_go(void)
{
    expect("store\nuser", "", "{ \"store\": true, \"a\" : 1.0 ,\"user\":\"x\"}", "{ \"a\" : 1.0}", "store, user");
    expect("store", "", "{\"a\":1}", "{\"a\":1}", "");
    expect("store", "", "{\"store\":null}", "{}", "store");
    expect("store", "", "{\"st\\u006fre\":1,\"b\":2,\"store\":3}", "{\"b\":2}", "store");
    expect("store", "", "{\"a\":{\"store\":1}}", "{\"a\":{\"store\":1}}", "");
    expect("", "", "{\"a\":1}", "{\"a\":1}", "");
    expect("store", "", "[{\"store\":1}]", "[{\"store\":1}]", "");
}

static void one_answer_is_what_all_give(void)
{
    expect("n", "", "{\"n\":1}", "{\"n\":1}", "");
    expect("n", "", "{\"n\":2,\"a\":1}", "{\"a\":1}", "n");
    expect("n", "", "{\"n\":null,\"a\":1}", "{\"a\":1}", "n");
    expect("n", "", "{\"n\":1.5,\"a\":1}", "{\"a\":1}", "n");
}

static void members_of_elements_go(void)
{
    expect("tools.strict", "",
           "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":true}},{\"strict\":false,\"name\":\"g\"},7]}",
           "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"name\":\"g\"},7]}", "tools[0].strict, tools[1].strict");
    expect("messages.name", "", "{\"messages\":[{\"role\":\"user\"},{\"role\":\"user\",\"name\":\"ana\"}]}",
           "{\"messages\":[{\"role\":\"user\"},{\"role\":\"user\"}]}", "messages[1].name");
    expect("tools.strict", "", "{\"tools\":\"strict\"}", "{\"tools\":\"strict\"}", "");
}

static void a_member_goes_by_its_type(void)
{
    expect("response_format.json_schema", "", "{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{}},\"a\":1}", "{\"a\":1}",
           "response_format.json_schema");
    expect("response_format.json_schema", "", "{\"response_format\":{\"type\":\"json_object\"}}", "{\"response_format\":{\"type\":\"json_object\"}}", "");
    expect("stream_options.include_obfuscation", "", "{\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false}}",
           "{\"stream_options\":{\"include_usage\":true}}", "stream_options.include_obfuscation");
}

static void others_have_another_name(void)
{
    expect("", "max_completion_tokens\tmax_tokens", "{ \"max_completion_tokens\" :  9, \"a\":1}", "{ \"max_tokens\" :  9, \"a\":1}", "");
    expect("", "max_completion_tokens\tmax_tokens", "{\"max_completion_tokens\":9,\"max_tokens\":8}", "{\"max_tokens\":9}", "max_tokens");
    expect("", "max_completion_tokens\tmax_tokens", "{\"max_tokens\":9,\"a\":1,\"max_completion_tokens\":9}", "{\"a\":1,\"max_tokens\":9}", "");
    expect("", "seed\tseed", "{\"seed\":9}", "{\"seed\":9}", "");
    expect("", "a\tb\nseed\trandom_seed", "{\"seed\":1,\"a\":2}", "{\"random_seed\":1,\"b\":2}", "");
    expect("", "a\tb", "{\"a\":1,\"a\":2}", "{\"b\":1}", "a");
    expect("", "role.developer\tsystem", "{\"messages\":[{\"role\":\"developer\",\"content\":\"developer\"},{\"role\":\"user\"}],\"role\":\"developer\"}",
           "{\"messages\":[{\"role\":\"system\",\"content\":\"developer\"},{\"role\":\"user\"}],\"role\":\"developer\"}", "");
    expect("", "role.developer\tsystem", "{\"messages\":\"developer\"}", "{\"messages\":\"developer\"}", "");
}

int main(void)
{
    RUN(members_of_the_root_go);
    RUN(one_answer_is_what_all_give);
    RUN(members_of_elements_go);
    RUN(a_member_goes_by_its_type);
    RUN(others_have_another_name);
    return unit_close("fitting");
}
