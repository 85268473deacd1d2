#include "server/kind.h"

#include "wire/dialect.h"

bool kind_is_known(struct slice kind)
{
    return dialect_for(kind, NULL) != NULL;
}
