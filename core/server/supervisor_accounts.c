/* Provider accounts: whose circuit breakers there are (store/breakers.h), and which are open, in the metrics; whose
 * tokens the admin process is to ask for (store/access_tokens.h). */
#include "base/clock.h"
#include "server/control.h"
#include "server/supervisor_inner.h"

static void set_gauge(struct supervisor *sup, const char *name, bool is_open)
{
    struct slice label = slice_str(name);
    stats_set(sup->stats, stats_series(sup->stats, STATS_BREAKER_OPEN, &label), is_open);
}

static void show(struct supervisor *sup, bool is_leaving)
{
    struct breakers_entry entry;
    uint64_t now_ms = clock_mono_ns() / NS_PER_MS;
    for (size_t i = 0; i < BREAKERS_SLOTS; i++) {
        if (!breakers_get(&sup->board->breakers, i, &entry)) continue;
        set_gauge(sup, entry.name, !is_leaving && breaker_view(entry.breaker, now_ms).is_open);
    }
}

void accounts_show(struct supervisor *sup)
{
    show(sup, false);
}

void accounts_on_accepted(struct supervisor *sup)
{
    struct slice names[LIMIT_PROVIDERS];
    size_t count = 0;
    struct config *config = generation_read_config(sup->current.config_fd);
    if (!config) return;
    for (size_t i = 0; i < config->settings->provider_count; i++) {
        const struct provider *p = &config->settings->providers[i];
        if (p->breaker_failures) names[count++] = p->name;
    }
    show(sup, true);
    breakers_keep(&sup->board->breakers, names, count);
    show(sup, false);
    config_free(config);
    accounts_send(sup);
}

void accounts_send(struct supervisor *sup)
{
    struct child *admin = sup->worker_count ? children_running(sup, "admin") : NULL;
    if (admin && sup->current.config_fd >= 0) child_send(admin, CONTROL_ACCOUNTS, SLICE_NONE, sup->current.config_fd);
}

void accounts_on_access_token(struct child *admin, const struct pipe_message *message)
{
    struct supervisor *sup = admin->sup;
    struct slice body = message->body;
    if (body.len < 2) return;
    struct slice labels[] = {slice_of(body.ptr + 1, body.len - 1),
                             body.ptr[0] == '+' ? SLICE("given") : SLICE("failed")};
    stats_add(sup->stats, stats_series(sup->stats, STATS_ACCOUNT_TOKENS, labels), 1);
}
