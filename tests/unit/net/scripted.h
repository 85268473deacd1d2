/* An upstream that says a given text and ends, then serves one good answer on another connection. For test_fetch.c. */
#ifndef MOONGATE_TESTS_UNIT_NET_SCRIPTED_H
#define MOONGATE_TESTS_UNIT_NET_SCRIPTED_H

#include "upstream.h"

/* The text of an answer, after which the upstream closes; then one good answer on another connection. */
static const char *scripted;
static size_t scripted_len;
static bool scripted_rst;

static void serve_scripted(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    up_read_request(&c);
    up_send_bytes(&c, scripted, scripted_len);
    if (scripted_rst)
        up_rst(&c);
    else
        up_fin(&c);
    struct up_conn d = up_accept(u);
    up_answer(&d, UP_OK);
    up_fin(&d);
}

#endif
