/*
 * What policies get from a worker: calls to the services that moongate.lua lists, metrics, the cache, counters, and
 * notices. host_arg is the worker's struct flow. Private to core/flow.
 *
 * Calls share the pool of the providers: the same TLS checks, no redirects, no proxies. An answer over its bound is cut
 * off ("limit").
 */
#ifndef MOONGATE_FLOW_EGRESS_H
#define MOONGATE_FLOW_EGRESS_H

#include "lua/host.h"

extern const struct policy_host egress_host;

#endif
