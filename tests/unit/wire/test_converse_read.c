/* What the gateway itself reads of answers of Amazon's Converse API: texts to be counted, what was used, whether it is
 * whole; and where it is asked. */
#include "../files.h"
#include "../unit.h"

#include <string.h>

#include "wire/dialect.h"

static struct said_reader reader;
static struct dialect_stream told;
static struct said said;

static struct buf read_body_of(const char *name)
{
    struct buf file;
    if (!read_file("tests/data/converse", name, &file)) UNIT_FAIL("%s cannot be read", name);
    return file;
}

static void begin_reading(void)
{
    said_reader_init(&reader);
    dialect_stream_init(&told, 1);
}

static void read_one(const char *name, const char *data)
{
    dialect_converse.read_event(&reader, &told, slice_str(name), slice_str(data), &said);
}

static void expect_text(uint32_t i, enum said_kind kind, uint32_t call, const char *text)
{
    if (i >= said.text_count) {
        UNIT_FAIL("text %u of %u", i, said.text_count);
        return;
    }
    EXPECT_INT(kind, said.texts[i].kind);
    EXPECT_INT(call, said.texts[i].call);
    EXPECT_SLICE(slice_str(text), slice_of(said.json.ptr + said.texts[i].at, said.texts[i].len));
}

static void events_say_what_is_to_be_counted(void)
{
    begin_reading();
    read_one("contentBlockDelta", "{\"contentBlockIndex\":3,\"delta\":{\"text\":\"a\"}}");
    expect_text(0, SAID_CONTENT, 3, "\"a\"");
    read_one("contentBlockDelta", "{\"contentBlockIndex\":1,\"delta\":{\"reasoningContent\":{\"text\":\"b\"}}}");
    expect_text(0, SAID_REASONING, 1, "\"b\"");
    read_one("contentBlockStart", "{\"contentBlockIndex\":4,\"start\":{\"toolUse\":{\"toolUseId\":\"x\",\"name\":\"f\"}}}");
    expect_text(0, SAID_CALL_NAME, 4, "\"f\"");
    read_one("contentBlockDelta", "{\"contentBlockIndex\":4,\"delta\":{\"toolUse\":{\"input\":\"{\"}}}");
    expect_text(0, SAID_CALL_ARGUMENTS, 4, "\"{\"");
    EXPECT_INT(1, said.text_count);
    read_one("contentBlockStop", "{\"contentBlockIndex\":4}");
    EXPECT_INT(SAID_PART_ENDS, said.what);
    read_one("messageStop", "{\"stopReason\":\"tool_use\"}");
    EXPECT_INT(SAID_FINISHED, said.what);
    EXPECT_STR("tool_use", told.finish_reason);
    read_one("metadata", "{\"usage\":{\"inputTokens\":1}}");
    EXPECT_INT(SAID_DONE, said.what);
    read_one("contentBlockDelta", "{");
    EXPECT_INT(SAID_UNREADABLE, said.what);
    said_reader_clear(&reader);
}

static void bodies_say_what_is_to_be_counted(void)
{
    struct buf body = read_body_of("tools.json");
    begin_reading();
    dialect_converse.read_body(&reader, &told, buf_slice(&body), &said);
    expect_text(0, SAID_CONTENT, 0, "\"I look.\"");
    expect_text(1, SAID_CALL_NAME, 1, "\"f\"");
    expect_text(2, SAID_CALL_ARGUMENTS, 1, "{\"city\":\"Berlin\\n\",\"n\":9007199254740993}");
    expect_text(3, SAID_CALL_NAME, 2, "\"g\"");
    EXPECT_INT(4, said.text_count);
    said_reader_clear(&reader);
    buf_clear(&body);
}

static void what_it_used_has_its_normal_form(void)
{
    struct buf body = read_body_of("tools.json");
    struct usage_parts parts;
    begin_reading();
    dialect_converse.read_body(&reader, &told, buf_slice(&body), &said);
    usage_normalise(&told.usage, &parts);
    EXPECT_INT(20, parts.count[USAGE_INPUT]);
    EXPECT_INT(100, parts.count[USAGE_CACHE_READ]);
    EXPECT_INT(20, parts.count[USAGE_CACHE_WRITE_5M]);
    EXPECT_INT(30, parts.count[USAGE_CACHE_WRITE_1H]);
    EXPECT_INT(40, parts.count[USAGE_OUTPUT]);
    EXPECT(!parts.is_suspect);
    buf_clear(&body);
    body = read_body_of("thinking.json");
    dialect_stream_init(&told, 1);
    dialect_converse.read_body(&reader, &told, buf_slice(&body), &said);
    EXPECT_SLICE(SLICE("priority"), usage_service_tier(&told.usage));
    dialect_stream_init(&told, 1);
    read_one("metadata", "{\"usage\":{\"inputTokens\":5,\"outputTokens\":7,\"totalTokens\":112,\"cacheReadInputTokens\":100,"
                         "\"cacheWriteInputTokens\":0,\"cacheDetails\":[]}}");
    usage_normalise(&told.usage, &parts);
    EXPECT(!parts.is_suspect && parts.count[USAGE_CACHE_READ] == 100 && parts.count[USAGE_INPUT] == 5);
    read_one("metadata", "{\"usage\":{\"inputTokens\":5,\"outputTokens\":7,\"totalTokens\":112,\"cacheReadInputTokens\":50,"
                         "\"cacheWriteInputTokens\":50,\"cacheDetails\":[{\"ttl\":\"1h\",\"inputTokens\":60}]}}");
    EXPECT(told.usage.is_suspect);
    said_reader_clear(&reader);
    buf_clear(&body);
}

static void it_has_chats_alone(void)
{
    EXPECT(dialect_converse.path(CHAT_CHAT) && !dialect_converse.path(CHAT_EMBEDDINGS));
    EXPECT(!dialect_converse.path(CHAT_COUNT));
}

int main(void)
{
    RUN(events_say_what_is_to_be_counted);
    RUN(bodies_say_what_is_to_be_counted);
    RUN(what_it_used_has_its_normal_form);
    RUN(it_has_chats_alone);
    return unit_close("converse_read");
}
