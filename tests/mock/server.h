/* The mock's listeners: accepts, does what an `accept` script says, and hands the rest to sessions. */
#ifndef MOONGATE_MOCK_SERVER_H
#define MOONGATE_MOCK_SERVER_H

#include "mock.h"

struct server;

/* address "127.0.0.1:0"; the one that it got is written to `bound`. */
struct server *server_listen(struct mock *mock, const char *address, bool is_control, char bound[64],
                             struct fault *why);
void server_free(struct server *s); /* NULL is welcome */

#endif
