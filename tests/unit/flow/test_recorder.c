/* Records reach the ledger once each, in order, whatever becomes of its process, and what does not is told by name. */
#include "../unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/recorder.h"
#include "net/pipe.h"

static struct loop *loop;
static struct recorder *recorder;

/* The ledger's end of the pipe. */
static struct pipe *ledger;
static unsigned hellos, entries;
static uint64_t last_number;
static bool is_unordered;
static struct buf seen; /* ids and kinds, "7:2 " */
static struct buf texts; /* of the last one: all behind its record */
static bool has_texts;
static uint8_t instance[LINK_ID_BYTES];

static unsigned lost, changes, idles, told;
static char lost_id[64];

static void on_lost(void *arg, struct slice id)
{
    (void)arg;
    lost++;
    snprintf(lost_id, sizeof lost_id, "%.*s", SLICE_FMT(id));
}

static void on_change(void *arg)
{
    (void)arg;
    changes++;
}

static void on_idle(void *arg)
{
    (void)arg;
    idles++;
}

static const struct recorder_events events = {on_lost, on_change, on_idle, NULL, NULL};

static void on_message(void *arg, const struct pipe_message *m)
{
    (void)arg;
    if (m->type == LINK_HELLO) {
        EXPECT_INT(sizeof(struct link_hello), m->body.len);
        memcpy(instance, m->body.ptr, sizeof instance);
        hellos++;
        last_number = 0;
        return;
    }
    struct link_entry e;
    EXPECT_INT(LINK_ENTRY, m->type);
    memcpy(&e, m->body.ptr, sizeof e);
    EXPECT_INT(m->body.len, sizeof e + e.body_bytes + e.prompt_bytes + e.answer_bytes + e.subject_bytes);
    is_unordered |= e.number != ++last_number;
    entries++;
    buf_printf(&seen, "%u:%u ", e.id[15], e.kind);
    buf_reset(&texts);
    buf_append(&texts, slice_of(m->body.ptr + sizeof e + e.body_bytes, m->body.len - sizeof e - e.body_bytes));
    has_texts = memmem(m->body.ptr + sizeof e, e.body_bytes, "\"texts\":{\"prompt\":{\"sha256\":", 28) != NULL;
    EXPECT(m->body.ptr[sizeof e] == '{' && m->body.ptr[sizeof e + e.body_bytes - 1] == '}');
}

static const struct pipe_events ledger_events = {.on_message = on_message};

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turns(unsigned ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, stop, loop);
    loop_timer_arm_ms(&timer, ms);
    loop_run(loop);
    loop_timer_disarm(&timer);
}

static void turn_until(const unsigned *count, unsigned wanted)
{
    for (int i = 0; i < 2000 && *count < wanted; i++)
        turns(2);
    EXPECT_INT(wanted, *count);
}

static void state(uint32_t is_failing, uint32_t is_remote_failing)
{
    struct fault why;
    struct link_state s = {is_failing, is_remote_failing};
    EXPECT(pipe_send(ledger, LINK_STATE, slice_of((const char *)&s, sizeof s), -1, &why));
}

static void ack(uint64_t committed, uint64_t shipped)
{
    struct fault why;
    struct link_ack a = {committed, shipped};
    EXPECT(pipe_send(ledger, LINK_ACK, slice_of((const char *)&a, sizeof a), -1, &why));
}

static void ledger_dies(void)
{
    pipe_free(ledger);
    ledger = NULL;
    turns(5);
}

static void ledger_comes(void)
{
    int fds[2];
    struct fault why;
    unsigned before = hellos;
    EXPECT(pipe_pair(fds, &why));
    ledger = pipe_new(loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &ledger_events, NULL);
    recorder_attach(recorder, fds[1]);
    state(0, 0);
    turn_until(&hellos, before + 1);
}

static void open_all(void)
{
    loop = loop_new();
    recorder = recorder_new(loop, &events, NULL);
    buf_init(&seen);
    hellos = entries = lost = changes = idles = told = 0;
    lost_id[0] = '\0';
    is_unordered = false;
}

static void close_all(void)
{
    recorder_free(recorder);
    pipe_free(ledger);
    ledger = NULL;
    buf_clear(&seen);
    buf_clear(&texts);
    loop_free(loop);
    EXPECT(!is_unordered);
}

/* The last byte of its id is `name`. */
static bool add(uint8_t name, enum chain_kind kind, enum durability durability, struct recorder_wait *wait)
{
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("chat"));
    snprintf(x->id + EXCHANGE_ID_BYTES - 3, 3, "%02x", name);
    exchange_move(x, EXCHANGE_SETTLING);
    bool is_kept = recorder_add(recorder, &(struct recorder_entry){kind, durability, x}, wait);
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
    return is_kept;
}

static bool add_local(uint8_t name, struct recorder_wait *wait)
{
    return add(name, CHAIN_EXCHANGE, DURABILITY_LOCAL, wait);
}

static void on_told(void *arg)
{
    (*(unsigned *)arg)++;
    told++;
}

static struct recorder_wait waiter(unsigned *count)
{
    *count = 0;
    return (struct recorder_wait){.fn = on_told, .arg = count};
}

static void acknowledgements_come_in_pieces(void)
{
    unsigned counts[3];
    struct recorder_wait waits[3] = {waiter(&counts[0]), waiter(&counts[1]), waiter(&counts[2])};
    open_all();
    ledger_comes();
    for (uint8_t i = 0; i < 3; i++)
        EXPECT(add_local((uint8_t)(i + 1), &waits[i]));
    turn_until(&entries, 3);
    EXPECT_SLICE(SLICE("1:2 2:2 3:2 "), buf_slice(&seen));
    ack(2, 0);
    turn_until(&told, 2);
    EXPECT(counts[0] == 1 && counts[1] == 1 && counts[2] == 0);
    EXPECT(!recorder_is_idle(recorder));
    ack(3, 3);
    turn_until(&idles, 1);
    EXPECT_INT(1, counts[2]);
    EXPECT(recorder_is_idle(recorder));
    close_all();
    EXPECT_INT(0, lost);
}

/* What PostgreSQL must have is told later than what the disk has, and none waits for another. */
static void remote_ones_wait_until_they_are_shipped(void)
{
    unsigned counts[2];
    struct recorder_wait remote = waiter(&counts[0]), local = waiter(&counts[1]);
    open_all();
    ledger_comes();
    EXPECT(add(1, CHAIN_EXCHANGE, DURABILITY_REMOTE, &remote));
    EXPECT(add_local(2, &local));
    turn_until(&entries, 2);
    ack(2, 0);
    turn_until(&told, 1);
    EXPECT(counts[0] == 0 && counts[1] == 1);
    ledger_dies();
    ledger_comes(); /* it goes again: only its acknowledgement can say that it is shipped */
    turn_until(&entries, 3);
    EXPECT_SLICE(SLICE("1:2 2:2 1:2 "), buf_slice(&seen));
    ack(1, 1);
    turn_until(&told, 2);
    EXPECT_INT(1, counts[0]);
    EXPECT(recorder_is_idle(recorder));
    close_all();
}

static void a_new_ledger_gets_what_the_old_one_did_not_acknowledge(void)
{
    unsigned count;
    uint8_t first[LINK_ID_BYTES];
    struct recorder_wait wait = waiter(&count);
    open_all();
    EXPECT(add_local(1, NULL));
    ledger_comes();
    memcpy(first, instance, sizeof first);
    EXPECT(add(2, CHAIN_INTENT, DURABILITY_LOCAL, &wait) && add(3, CHAIN_EXCHANGE, DURABILITY_ASYNC, NULL));
    turn_until(&entries, 3);
    ack(1, 0);
    turns(10);
    ledger_dies();
    EXPECT(add_local(4, NULL));
    ledger_comes();
    turn_until(&entries, 6);
    EXPECT_SLICE(SLICE("1:2 2:3 3:2 2:3 3:2 4:2 "), buf_slice(&seen));
    EXPECT(memcmp(first, instance, sizeof first) == 0);
    ack(3, 0);
    turn_until(&idles, 1);
    EXPECT_INT(1, count);
    close_all();
    EXPECT_INT(0, lost);
}

static void more_than_a_pipe_takes_goes_on_with_the_acknowledgements(void)
{
    enum { MANY = 3000 };
    open_all();
    ledger_comes();
    for (int i = 0; i < MANY; i++)
        EXPECT(add_local((uint8_t)i, NULL));
    for (int i = 0; i < 2000 && entries < MANY; i++) {
        if (last_number) ack(last_number, 0);
        turns(2);
    }
    EXPECT_INT(MANY, entries);
    ack(MANY, 0);
    turn_until(&idles, 1);
    close_all();
}

static void a_full_queue_refuses_before_it_loses(void)
{
    unsigned kept = 0;
    open_all();
    for (; kept < 100000 && !recorder_is_failing(recorder, DURABILITY_LOCAL); kept++)
        EXPECT(add_local(1, NULL));
    EXPECT_INT(0, changes); /* never inside of recorder_add(): whoever adds is in the middle of something */
    turn_until(&changes, 1);
    EXPECT(recorder_is_failing(recorder, DURABILITY_REMOTE));
    EXPECT(!recorder_is_failing(recorder, DURABILITY_ASYNC));
    EXPECT_INT(0, lost);
    while (kept < 200000 && add_local(2, NULL))
        kept++;
    EXPECT(kept > 1000 && kept < 200000);
    EXPECT(!add_local(3, NULL));
    EXPECT_INT(2, lost);
    EXPECT(strncmp(lost_id, "req_", 4) == 0);
    ledger_comes();
    for (int i = 0; i < 20000 && entries < kept + 1; i++) {
        if (last_number) ack(last_number, 0);
        turns(2);
    }
    EXPECT_INT(kept + 1, entries); /* the last one says how many are missing */
    EXPECT(slice_equal(slice_of(buf_ptr(&seen) + buf_len(&seen) - 3, 3), SLICE(":5 ")));
    EXPECT(!recorder_is_failing(recorder, DURABILITY_LOCAL));
    EXPECT_INT(2, changes);
    ack(last_number, 0);
    turn_until(&idles, 1);
    close_all();
}

/* With nothing behind it that would be acknowledged. */
static void what_is_too_large_is_told_as_lost_at_once(void)
{
    size_t len = LIMIT_PIPE_MESSAGE_BYTES;
    char *name = mem_alloc(len);
    memset(name, 'm', len);
    open_all();
    ledger_comes();
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("chat"));
    x->request.model = slice_of(name, len);
    exchange_move(x, EXCHANGE_SETTLING);
    EXPECT(!recorder_add(recorder, &(struct recorder_entry){CHAIN_EXCHANGE, DURABILITY_LOCAL, x}, NULL));
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
    EXPECT_INT(1, lost);
    turn_until(&entries, 1);
    EXPECT(slice_equal(slice_of(buf_ptr(&seen) + buf_len(&seen) - 3, 3), SLICE(":5 ")));
    ack(1, 0);
    turn_until(&idles, 1);
    close_all();
    mem_free(name);
}

static void the_ledgers_word_counts_at_once(void)
{
    open_all();
    ledger_comes();
    state(1, 0);
    turn_until(&changes, 1);
    EXPECT(recorder_is_failing(recorder, DURABILITY_LOCAL) && recorder_is_failing(recorder, DURABILITY_REMOTE));
    state(0, 1);
    turn_until(&changes, 2);
    EXPECT(!recorder_is_failing(recorder, DURABILITY_LOCAL) && recorder_is_failing(recorder, DURABILITY_REMOTE));
    state(0, 0);
    turn_until(&changes, 3);
    EXPECT(!recorder_is_failing(recorder, DURABILITY_REMOTE));
    close_all();
}

static void without_a_ledger_patience_ends(void)
{
    open_all();
    EXPECT(!recorder_is_failing(recorder, DURABILITY_LOCAL));
    turn_until(&changes, 1);
    EXPECT(recorder_is_failing(recorder, DURABILITY_LOCAL));
    ledger_comes();
    turn_until(&changes, 2);
    EXPECT(!recorder_is_failing(recorder, DURABILITY_LOCAL));
    close_all();
}

/* Whoever comes then is refused, and who waits already goes on waiting. */
static void without_acknowledgements_patience_ends(void)
{
    unsigned count;
    struct recorder_wait wait = waiter(&count);
    open_all();
    ledger_comes();
    EXPECT(add_local(1, NULL) && add_local(2, &wait));
    turn_until(&entries, 2);
    ack(1, 0);
    for (int i = 0; i < 5 && !changes; i++)
        turns(LIMIT_LEDGER_STUCK_MS / 2);
    EXPECT_INT(1, changes);
    EXPECT(recorder_is_failing(recorder, DURABILITY_LOCAL) && !recorder_is_failing(recorder, DURABILITY_ASYNC));
    EXPECT_INT(0, count);
    ack(2, 0);
    turn_until(&changes, 2);
    EXPECT(!recorder_is_failing(recorder, DURABILITY_LOCAL));
    EXPECT_INT(1, count);
    close_all();
    EXPECT_INT(0, lost);
}

/* Its record goes to the ledger all the same. */
static void whoever_cancels_is_not_told(void)
{
    unsigned counts[2];
    struct recorder_wait gone = waiter(&counts[0]), shipped = waiter(&counts[1]);
    open_all();
    ledger_comes();
    recorder_cancel(recorder, &gone); /* nothing is waited for yet */
    EXPECT(add_local(1, &gone) && add(2, CHAIN_EXCHANGE, DURABILITY_REMOTE, &shipped));
    recorder_cancel(recorder, &gone);
    turn_until(&entries, 2);
    ack(2, 0);
    turns(10);
    EXPECT(!recorder_is_idle(recorder));
    recorder_cancel(recorder, &shipped); /* it is on the disk, and nobody asks for more */
    EXPECT(recorder_is_idle(recorder));
    EXPECT(counts[0] == 0 && counts[1] == 0);
    close_all();
    EXPECT_INT(0, lost);
}

static void what_is_left_at_the_end_is_told_by_name(void)
{
    unsigned count;
    struct recorder_wait wait = waiter(&count);
    open_all();
    ledger_comes();
    EXPECT(add_local(0xab, &wait));
    turn_until(&entries, 1);
    EXPECT(add_local(0xcd, NULL));
    close_all();
    EXPECT_INT(2, lost);
    EXPECT_INT(EXCHANGE_ID_BYTES - 1, strlen(lost_id));
    EXPECT(strcmp(lost_id + EXCHANGE_ID_BYTES - 3, "cd") == 0);
    EXPECT(count == 0 && !wait.kept);
}

static void add_with_texts(enum chain_kind kind)
{
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("chat"));
    x->identity.user = SLICE("ana");
    x->outcome = kind == CHAIN_INTENT ? OUTCOME_INTENT : OUTCOME_OK;
    buf_append(&x->texts.prompt.bytes, SLICE("user: hi\n"));
    buf_append(&x->texts.answer.bytes, SLICE("ho"));
    exchange_move(x, EXCHANGE_SETTLING);
    EXPECT(recorder_add(recorder, &(struct recorder_entry){kind, DURABILITY_LOCAL, x}, NULL));
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
}

/* Their hashes stand in it. */
static void texts_go_behind_their_record(void)
{
    open_all();
    ledger_comes();
    add_with_texts(CHAIN_INTENT);
    turn_until(&entries, 1);
    EXPECT(!has_texts && buf_len(&texts) == 0);
    add_with_texts(CHAIN_EXCHANGE);
    turn_until(&entries, 2);
    EXPECT(has_texts);
    EXPECT_SLICE(SLICE("user: hi\nhouser:ana"), buf_slice(&texts));
    ack(2, 0);
    turn_until(&idles, 1);
    close_all();
}

/* A ledger that lies is left, and nothing is lost by it. */
static void lies(uint64_t committed, uint64_t shipped)
{
    open_all();
    ledger_comes();
    EXPECT(add_local(1, NULL));
    turn_until(&entries, 1);
    ack(committed, shipped);
    ack(1, 1); /* nobody listens any more */
    turns(10);
    EXPECT_INT(0, idles);
    pipe_free(ledger);
    ledger_comes();
    turn_until(&entries, 2);
    EXPECT_SLICE(SLICE("1:2 1:2 "), buf_slice(&seen));
    ack(1, 1);
    turn_until(&idles, 1);
    close_all();
}

static void an_acknowledgement_of_what_was_not_sent_ends_the_pipe(void)
{
    lies(2, 0);
    lies(0, 2);
}

int main(void)
{
    RUN(acknowledgements_come_in_pieces);
    RUN(remote_ones_wait_until_they_are_shipped);
    RUN(a_new_ledger_gets_what_the_old_one_did_not_acknowledge);
    RUN(more_than_a_pipe_takes_goes_on_with_the_acknowledgements);
    RUN(a_full_queue_refuses_before_it_loses);
    RUN(what_is_too_large_is_told_as_lost_at_once);
    RUN(the_ledgers_word_counts_at_once);
    RUN(without_a_ledger_patience_ends);
    RUN(without_acknowledgements_patience_ends);
    RUN(whoever_cancels_is_not_told);
    RUN(what_is_left_at_the_end_is_told_by_name);
    RUN(texts_go_behind_their_record);
    RUN(an_acknowledgement_of_what_was_not_sent_ends_the_pipe);
    return unit_close("recorder");
}
