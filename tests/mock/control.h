/*
 * The way in which tests steer the mock: /_mock/… on the control listener.
 *
 *     struct source *s = control_answer(mock, &request);
 *
 * POST /_mock/script, GET /_mock/log?since=N, GET /_mock/state, POST /_mock/reset; README.md has the shapes.
 */
#ifndef MOONGATE_MOCK_CONTROL_H
#define MOONGATE_MOCK_CONTROL_H

#include "mock.h"
#include "request.h"
#include "source.h"

/* Never NULL: an unknown path is answered with 404. */
struct source *control_answer(struct mock *mock, const struct request *request);

#endif
