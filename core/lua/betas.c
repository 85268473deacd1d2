#include "lua/betas.h"

#include "lua/families.h"

struct takers {
    bool bedrock;
};

static void read_takers(lua_State *L, int table, void *value)
{
    ((struct takers *)value)->bedrock = family_flag(L, table, "bedrock");
}

static struct families families = {
    .script = "scripts/catalogue/betas.lua", .size = sizeof(struct takers), .read = read_takers};

bool betas_bedrock_takes(struct slice beta)
{
    const struct takers *takers = families_find(&families, beta);
    return takers && takers->bedrock;
}
