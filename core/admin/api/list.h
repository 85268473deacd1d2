/*
 * Of a list the page that the query asks for: {"items":[…],"next":"…","total":n}.
 *
 *     GET /keys?limit=50                        LIST_ITEMS unless said, LIST_ITEMS_MAX at most
 *     GET /keys?limit=50&cursor=key_7Q2fR8sT    behind that one: the `next` of the page before, null on the last page
 *
 * A cursor names the last item of its page, so that what is added in front of it moves nothing. `total` is of all.
 */
#ifndef MOONGATE_ADMIN_API_LIST_H
#define MOONGATE_ADMIN_API_LIST_H

#include "admin/api/api.h"

#define LIST_ITEMS 100u
#define LIST_ITEMS_MAX 500u

/* Takes the items, all of them, in their order. */
void list_give(struct api_call *call, struct json_t *items);

#endif
