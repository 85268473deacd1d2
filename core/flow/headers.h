/*
 * Which headers cross the gateway, in each direction: allow-lists, because what nobody thought of must not leak.
 *
 *     if (headers_reach_provider(name)) ...   // of the client's request
 *     if (headers_reach_client(name)) ...     // of the provider's answer
 *
 * HTTP-Referer and X-Title are attribution: they say which application asks, and are sent for no other purpose. What
 * else an account wants of its callers stands in its `pass` (moongate.lua).
 * Never to a provider: the client's Authorization and other credentials, Cookie, hop-by-hop headers (RFC 9110 7.6.1),
 * x-moongate-*, and openai-organization / openai-project, since the account is the operator's and not the caller's.
 * To a client x-ratelimit-* and its kind mean the limit that it will meet. Where limits of the gateway were counted,
 * that is theirs, about the caller; the provider's, about an account that many share, are told as
 * x-moongate-provider-ratelimit-… then, so that no name says two things in one answer. Where none were counted they
 * pass as they came. retry-after always passes: whoever sent it, it is how long to wait.
 * Never to a client: Set-Cookie, server banners, the provider's organisation, anything x-moongate-*.
 */
#ifndef MOONGATE_FLOW_HEADERS_H
#define MOONGATE_FLOW_HEADERS_H

#include <stdbool.h>

#include "base/slice.h"

/* Names are compared without regard to ASCII case. */
bool headers_reach_provider(struct slice name);
bool headers_reach_client(struct slice name);
/* True for a header of one vendor's API, which says nothing to another's: anthropic-beta, openai-beta … */
bool headers_is_of_api(struct slice name);
/* True for a header that says what the provider's limits leave: x-ratelimit-…, anthropic-ratelimit-… */
bool headers_is_rate(struct slice name);
/* True for a header that carries the provider's id of this call: x-request-id, request-id, apim-request-id … */
bool headers_is_request_id(struct slice name);

#endif
