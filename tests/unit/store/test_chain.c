/* The chain's hashes are a format: ledgers, exports and anchors of years rest on it. The figures were computed apart:
 *     printf 'moongate ledger 1\ngw-1\nSHA256:abc' | sha256sum
 *     { printf 'moongate ledger 1\ngw-1\nSHA256:abc' | sha256sum | xxd -r -p | head -c 32
 *       printf '\0\0\0\0\0\0\1\2\2{"id":"req_x"}'; } | sha256sum */
#include "../unit.h"

#include "base/hex.h"
#include "store/chain.h"

static const char *shown(const uint8_t hash[CHAIN_HASH_BYTES])
{
    static char text[2 * CHAIN_HASH_BYTES + 1];
    hex_write(hash, CHAIN_HASH_BYTES, text);
    return text;
}

static void hashes_are_those_of_the_format(void)
{
    uint8_t genesis[CHAIN_HASH_BYTES], hash[CHAIN_HASH_BYTES];
    struct slice body = SLICE("{\"id\":\"req_x\"}");
    chain_genesis(genesis, SLICE("gw-1"), SLICE("SHA256:abc"));
    EXPECT_STR("81512ac6d8ea0ab232e5481833ca4f2f693e7d6711d19af897c9ee6bdf6187bd", shown(genesis));
    chain_hash(hash, genesis, 258, CHAIN_EXCHANGE, body);
    EXPECT_STR("0ec2c9a969f6ec892fd096003a121a60633b9f792383cc891298f118b70048ad", shown(hash));
    chain_hash(genesis, genesis, 258, CHAIN_EXCHANGE, body); /* in place */
    EXPECT(memcmp(genesis, hash, sizeof hash) == 0);
}

int main(void)
{
    RUN(hashes_are_those_of_the_format);
    return unit_close("chain");
}
