/*
 * One client's connection: reads requests, has them answered one after the other, and tells the journal.
 *
 *     session_open(mock, fd, is_control);
 *     session_close_all(mock);
 *
 * Sessions of the control listener speak only /_mock/… and leave no trace in the journal.
 */
#ifndef MOONGATE_MOCK_SESSION_H
#define MOONGATE_MOCK_SESSION_H

#include "mock.h"

struct session;

/* Takes fd. */
void session_open(struct mock *mock, int fd, bool is_control);
/* Frees what closed since the last call. */
void session_reap(struct mock *mock);
void session_close_all(struct mock *mock);
/* One object for each request under way, for GET /_mock/state. */
json_t *session_states(const struct mock *mock);

#endif
