/* A signature and a file of allowed signers from anywhere: refused, or whole. Nothing that was signed by a key of ours
 * is taken for other bytes. Of what has a NUL the part before it is the signature, the one behind it the signers. */
#include "base/arena.h"
#include "base/check.h"
#include "store/sshsig/signers.h"
#include "store/sshsig/sshsig.h"

static void judge_signature(struct slice text)
{
    struct arena arena;
    struct sshsig sig;
    struct fault why;
    arena_init(&arena);
    if (sshsig_read(text, &arena, &sig, &why)) {
        bool is_one = sshsig_verify(&sig, SLICE("one message\n"), sig.name, &why);
        bool is_other = sshsig_verify(&sig, SLICE("another message\n"), sig.name, &why);
        check(!is_one || !is_other);
    }
    arena_clear(&arena);
}

static void judge_signers(struct slice text)
{
    struct fault why;
    struct signers *all = signers_read(text);
    for (size_t i = 0; i < signers_count(all); i++) {
        const struct signer *s = signers_at(all, i);
        struct slice rest = s->principals;
        check(s->person <= i && signers_at(all, s->person)->person == s->person);
        check(s->after_s <= s->before_s);
        while (rest.len)
            check(signers_is_principal(slice_split(rest, ',', &rest)));
        signers_find(all, signers_person(all, s->person), s->key, SLICE("moongate-bundle"), 1767225600, &why);
    }
    signers_free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice signers, input = slice_of((const char *)bytes, len);
    judge_signature(slice_split(input, '\0', &signers));
    judge_signers(input);
    judge_signers(signers);
    return 0;
}
