#include "ledger/sink/sink.h"

struct sink_way *sink_way_new(struct loop *loop, const struct sink *sink)
{
    if (slice_equal(sink->kind, SLICE("command"))) return sink_command_new(loop, sink);
    return sink_http_new(loop, sink);
}
