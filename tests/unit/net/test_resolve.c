/* Names looked up by a child process. */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <string.h>

#include "../unit.h"
#include "net/loop.h"

struct asked {
    struct loop *loop;
    struct resolve_result result;
    bool has_failed;
    unsigned answers;
};

static void on_result(void *arg, const struct resolve_result *result, const struct fault *why)
{
    struct asked *a = arg;
    a->result = *result;
    a->has_failed = why != NULL;
    a->answers++;
    loop_stop(a->loop);
}

static struct asked ask(const char *const *names, size_t count)
{
    struct asked a = {.loop = loop_new()};
    struct fault why = {0};
    struct resolve *r = resolve_start(a.loop, names, count, on_result, &a, &why);
    loop_run(a.loop);
    resolve_free(r);
    loop_free(a.loop);
    EXPECT_INT(1, a.answers);
    return a;
}

static void names_and_numbers_have_addresses(void)
{
    static const char *const names[] = {"localhost", "192.0.2.7", "2001:db8::7"};
    struct asked a = ask(names, 3);
    bool has_own = false, has_four = false, has_six = false;
    for (size_t i = 0; i < a.result.count; i++) {
        const struct resolve_address *at = &a.result.addresses[i];
        has_own |= at->name == 0 && (strncmp(at->text, "127.", 4) == 0 || strcmp(at->text, "::1") == 0);
        has_four |= at->name == 1 && strcmp(at->text, "192.0.2.7") == 0;
        has_six |= at->name == 2 && strcmp(at->text, "2001:db8::7") == 0;
    }
    EXPECT(!a.has_failed);
    EXPECT(has_own && has_four && has_six);
}

static void what_is_no_name_is_said(void)
{
    static const char *const names[] = {"no such host name", "127.0.0.1"};
    struct asked a = ask(names, 2);
    EXPECT(a.has_failed);
    EXPECT_INT(1, a.result.count);
    EXPECT_INT(1, a.result.addresses[0].name);
}

static void it_can_be_given_up(void)
{
    static const char *const names[] = {"localhost"};
    struct asked a = {.loop = loop_new()};
    struct fault why = {0};
    resolve_free(resolve_start(a.loop, names, 1, on_result, &a, &why));
    loop_run(a.loop);
    EXPECT_INT(0, a.answers);
    loop_free(a.loop);
}

int main(void)
{
    RUN(names_and_numbers_have_addresses);
    RUN(what_is_no_name_is_said);
    RUN(it_can_be_given_up);
    return unit_close("resolve");
}
