/*
 * What a request told of itself beside its text, kept for the record: the hints (headers x-moongate-task,
 * -quality, -data, -label, -max-latency-ms, or metadata.moongate in the body), what it uses, max_tokens, temperature,
 * the number of its answers and of its tools, and the tier of service.
 *
 *     told_keep(x);        // while the body is there; x->told is then JSON members such as ,"data":"internal"
 *
 * Only words are kept (letters, digits and "_-., "), so that nothing of a text gets into a record this way.
 */
#ifndef MOONGATE_FLOW_TOLD_H
#define MOONGATE_FLOW_TOLD_H

#include "exchange/exchange.h"

void told_keep(struct exchange *x);

#endif
