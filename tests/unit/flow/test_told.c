/* What a request told of itself, as the record keeps it: hints of headers before those of the body, words only. */
#include "../unit.h"

#include "base/clock.h"
#include "flow/told.h"

static struct exchange *asked(const char *body, const struct pair *headers, size_t count)
{
    struct fault why;
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("chat"));
    buf_append(&x->body, slice_str(body));
    EXPECT(chat_parse(&x->request, &dialect_openai, buf_slice(&x->body), CHAT_CHAT, &x->arena, &why));
    x->head.headers = (struct pair *)headers;
    x->head.header_count = count;
    told_keep(x);
    return x;
}

static void end(struct exchange *x)
{
    exchange_move(x, EXCHANGE_SETTLING);
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
}

static void a_plain_request_tells_nothing(void)
{
    struct exchange *x = asked("{\"model\":\"m\",\"messages\":[]}", NULL, 0);
    EXPECT_INT(0, x->told.len);
    end(x);
}

static void headers_come_before_the_body(void)
{
    const struct pair headers[] = {{SLICE("X-Moongate-Task"), SLICE("code")},
                                   {SLICE("x-moongate-max-latency-ms"), SLICE("900")},
                                   {SLICE("x-moongate-taskx"), SLICE("no")},
                                   {SLICE("x-moongate-"), SLICE("no")},
                                   {SLICE("x-moongate-task"), SLICE("second")}};
    struct exchange *x = asked("{\"model\":\"m\",\"messages\":[],\"max_tokens\":5,\"metadata\":{\"moongate\":{\"task\":\"chat\","
                               "\"data\":\"internal\",\"max_latency_ms\":7,\"other\":\"x\"}}}",
                               headers, 5);
    EXPECT_SLICE(SLICE(",\"task\":\"code\",\"max_latency_ms\":\"900\",\"data\":\"internal\",\"max_tokens\":5"), x->told);
    end(x);
}

static void only_words_are_kept(void)
{
    const struct pair headers[] = {{SLICE("x-moongate-task"), SLICE("say \"hi\"")}, {SLICE("x-moongate-data"), SLICE("")}};
    struct exchange *x = asked("{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
                               "\"metadata\":{\"moongate\":{\"quality\":\"a\\nb\"}}}",
                               headers, 2);
    EXPECT_SLICE(SLICE(",\"uses\":[\"tools\"],\"tools\":1"), x->told);
    end(x);
}

static void several_answers_are_told(void)
{
    struct exchange *x = asked("{\"model\":\"m\",\"messages\":[],\"n\":3,\"max_tokens\":5}", NULL, 0);
    EXPECT_SLICE(SLICE(",\"max_tokens\":5,\"answers\":3"), x->told);
    end(x);
}

static void a_list_of_models_has_no_body(void)
{
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("models"));
    told_keep(x);
    EXPECT_INT(0, x->told.len);
    end(x);
}

int main(void)
{
    RUN(a_plain_request_tells_nothing);
    RUN(headers_come_before_the_body);
    RUN(only_words_are_kept);
    RUN(several_answers_are_told);
    RUN(a_list_of_models_has_no_body);
    return unit_close("told");
}
