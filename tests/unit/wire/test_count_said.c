/* What assistants have said and asked, in the forms in which clients give it back: each is counted, and once. */
#include "../unit.h"

#include "base/mem.h"
#include "wire/tokens/counter.h"

#include "counting.h"

#define O200K "o200k_base"

static uint64_t tokens(const char *text)
{
    return token_count(vocabulary_find(SLICE(O200K)), slice_str(text));
}

static uint64_t chat(const char *messages)
{
    struct count_rules rules = rules_of(O200K);
    struct buf body;
    buf_init(&body);
    buf_printf(&body, "{\"model\":\"m\",\"messages\":%s}%c", messages, 0);
    uint64_t total = total_of(&rules, CHAT_CHAT, buf_ptr(&body)).input_tokens;
    buf_clear(&body);
    return total;
}

static void what_a_tool_is_asked_is_counted_as_an_object_too(void)
{
    const char *object = "[{\"role\":\"assistant\",\"tool_calls\":[{\"custom\":null,\"function\":{\"name\":\"get_weather\","
                         "\"arguments\":{\"file\":\"Paris\"}}}]}]";
    EXPECT_INT(3 + 3 + 1 + tokens("get_weather") + tokens("{\"file\":\"Paris\"}") + 7, chat( object));
}

/* In one text, or in the pieces in which it came; the same in both is said once. */
static void what_was_thought_is_counted_however_it_is_said(void)
{
    uint64_t rest = 3 + 3 + 1;
#define THOUGHT(members) "[{\"role\":\"assistant\"," members "}]"
    EXPECT_INT(rest + 4, chat( THOUGHT("\"reasoning_content\":\"Hello, world!\"")));
    EXPECT_INT(rest + 4, chat( THOUGHT("\"reasoning_details\":[{\"text\":\"Hello, world!\"}]")));
    EXPECT_INT(rest + 4, chat( THOUGHT("\"thinking_blocks\":[{\"thinking\":\"Hello, world!\"},{\"data\":\"x\"}]")));
    EXPECT_INT(rest + 4, chat( THOUGHT("\"reasoning_content\":\"Hello, world!\",\"reasoning_details\":["
                                              "{\"text\":\"Hello, \"},{\"text\":\"world!\"},{\"signature\":\"s\"}]")));
    EXPECT_INT(rest + 3 * 4, chat( THOUGHT("\"reasoning_content\":\"Hello, world!\",\"reasoning_details\":["
                                                  "{\"text\":\"Hello, world!\"},{\"text\":\"Hello, world!\"}]")));
#undef THOUGHT
}

int main(void)
{
    RUN(what_a_tool_is_asked_is_counted_as_an_object_too);
    RUN(what_was_thought_is_counted_however_it_is_said);
    return unit_close("count_said");
}
