/*
 * What a whole request head must satisfy, and the character classes of its grammar. Private to wire/http.c, but for
 * what wire/http.h declares: framing, Host, connection options, tokens, reasons.
 */
#ifndef MOONGATE_WIRE_HTTP_RULES_H
#define MOONGATE_WIRE_HTTP_RULES_H

#include "wire/http.h"

/* Fills content_length, is_chunked, keep_alive, expect_continue and host from the headers, or says which rule they
 * break. head->host holds the authority of a URL target, or SLICE_NONE. */
bool http_apply_rules(struct http_head *head, struct fault *why);
/* uri-host [ ":" port ], not empty (RFC 9110 7.2, RFC 3986 3.2). */
bool http_is_host(struct slice s);
/* What may stand in a line before its CR: everything but control characters; the tab may. */
bool http_is_text(unsigned char c);
bool http_is_token_char(unsigned char c);

#endif
