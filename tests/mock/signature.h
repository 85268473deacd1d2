/*
 * AWS Signature Version 4, judged: is this request signed with the one key that the mock knows, for these very bytes?
 *
 *     const char *why = signature_fault(request, now_s);      // NULL: it is good
 *
 * Source: AWS, "Create a signed AWS API request". Written apart from the gateway's own, whose mistakes it must not
 * share.
 */
#ifndef MOONGATE_MOCK_SIGNATURE_H
#define MOONGATE_MOCK_SIGNATURE_H

#include <time.h>

#include "request.h"

#define SIGNATURE_ID "AKIAMOCK"
#define SIGNATURE_SECRET "mock/secret+access/key"
#define SIGNATURE_TOKEN "mock+session/token==" /* what a security token must be, where one is sent */

bool signature_is_one(const struct request *request);
const char *signature_fault(const struct request *request, time_t now);

#endif
