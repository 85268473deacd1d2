#include "server/kind.h"

#include "wire/reach.h"

bool kind_is_known(struct slice kind)
{
    return dialect_has_kind(kind);
}

struct slice kind_key_header(struct slice kind)
{
    const struct dialect *dialect = dialect_for(kind, NULL, NULL);
    return dialect ? reach_key_header(kind, dialect).name : SLICE_NONE;
}

bool kind_takes_access_keys(struct slice kind)
{
    return reach_signs(kind);
}

bool kind_takes_version(struct slice kind)
{
    return reach_takes_version(kind);
}

bool kind_needs_version(struct slice kind, struct slice url)
{
    return reach_needs_version(kind, url);
}
