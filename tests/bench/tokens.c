/*
 * Counting tokens of o200k_base: speed, worst cases, what the tables take.
 *
 *     tokens text english 4000000 > FILE     # the text that the others count: english, chinese, code
 *     tokens speed english 4000000           # megabytes a second of processor time, the best of five rounds
 *     tokens worst 1048576                   # milliseconds for each kind of text that is costly to merge
 *     tokens map                             # bytes of both tables, milliseconds of the first count in a process
 *     valgrind --tool=callgrind --toggle-collect=token_count build/bench/tokens rounds english 20 32768
 *
 * English and code are files of the repository, one after the other; Chinese is made of some hundred common words.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/check.h"
#include "wire/tokens/counter.h"

#define ROUNDS 5u

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static uint32_t random_below(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static void append_file(struct buf *to, const char *path)
{
    FILE *file = fopen(path, "rb");
    check(file);
    size_t got;
    while ((got = fread(buf_reserve(to, 65536), 1, 65536, file)) > 0)
        buf_grew(to, got);
    fclose(file);
}

static void append_files(struct buf *to, size_t bytes, const char *const *patterns)
{
    glob_t found = {.gl_pathc = 0};
    for (int flags = 0; *patterns; patterns++, flags = GLOB_APPEND)
        glob(*patterns, flags, NULL, &found);
    check(found.gl_pathc > 0);
    for (size_t i = 0; buf_len(to) < bytes; i++)
        append_file(to, found.gl_pathv[i % found.gl_pathc]);
    globfree(&found);
}

/* Words in the order of a sentence: time or subject, adverb, verb, object, and what holds sentences together. */
static const char *const subjects =
    "我 我们 你 你们 他 她 他们 大家 学生 老师 医生 工程师 公司 政府 孩子 父母 朋友 同事 客户 用户 作者 记者 专家 市场 "
    "系统 程序 模型 数据 城市 学校 医院 银行 企业 社会 国家 世界 人们 年轻人 老人 农民 工人 科学家 研究人员 项目经理 "
    "这个问题 这种方法 那本书 这家餐厅 新技术 人工智能 互联网 经济 文化 历史 环境 天气 春天 夏天 秋天 冬天 北京 上海 广州";
static const char *const adverbs =
    "今天 昨天 明天 已经 正在 总是 经常 有时 可能 一定 必须 应该 可以 非常 特别 比较 更加 逐渐 突然 终于 仍然 其实 当然 "
    "显然 最近 目前 将来 以前 首先 然后 最后 同时 一直 马上 慢慢地 认真地 不断 完全 几乎 大概 从来没有 并不 还没有 也 都 就 才";
static const char *const verbs =
    "看到 知道 觉得 认为 希望 喜欢 需要 使用 学习 研究 讨论 解决 发现 提出 分析 改变 影响 支持 反对 参加 组织 开始 完成 "
    "继续 停止 增加 减少 提高 降低 保护 建设 设计 开发 测试 管理 检查 比较 选择 决定 准备 介绍 解释 描述 翻译 写了 读完了 "
    "听说过 带来了 得到了 失去了 找到了 忘记了 记住了 理解 接受 拒绝 要求 帮助";
static const char *const objects =
    "这个问题 新的方法 很多困难 自己的工作 重要的信息 一份报告 三个例子 两千多人 详细的计划 生活质量 服务水平 交通情况 "
    "教育制度 健康问题 环境污染 技术标准 产品价格 合同条款 会议记录 软件版本 网络安全 历史文化 传统节日 家乡的味道 "
    "第一次见面 下午的会议 图书馆里的书 手机上的照片 电脑屏幕 数据中心 语言模型 机器学习算法 用户体验 经济增长 国际关系 "
    "法律规定 社会责任 科学研究 艺术作品 音乐会 电影院 火车票 飞机场 地铁站 咖啡和茶 水果蔬菜 一碗面条 天气变化";
static const char *const joints = "，但是 ，所以 ，因为 ，而且 ，如果 ，虽然 ，不过 ， 。 。 。\n 。 ？ ！ ；";

static struct slice pick_word(const char *list, uint32_t *state)
{
    struct slice word, rest = slice_str(list);
    uint32_t count = 1;
    for (const char *p = list; *p; p++)
        count += *p == ' ';
    for (uint32_t n = random_below(state, count) + 1; n > 0; n--) {
        word = slice_split(rest, ' ', &rest);
    }
    return word;
}

static void append_chinese(struct buf *to, size_t bytes)
{
    uint32_t state = 1;
    while (buf_len(to) < bytes) {
        buf_append(to, pick_word(subjects, &state));
        if (random_below(&state, 4)) buf_append(to, pick_word(adverbs, &state));
        buf_append(to, pick_word(verbs, &state));
        buf_append(to, pick_word(objects, &state));
        buf_append(to, pick_word(joints, &state));
    }
}

static struct slice make_text(struct buf *to, const char *kind, size_t bytes)
{
    static const char *const prose[] = {"README.md", "*/README.md", "*/*/README.md", "LICENSE", NULL};
    static const char *const code[] = {"core/*/*.c", "scripts/*.lua", "core/*/*.h", NULL};
    if (strcmp(kind, "chinese") == 0) append_chinese(to, bytes);
    else append_files(to, bytes, strcmp(kind, "code") == 0 ? code : prose);
    return slice_of(buf_ptr(to), bytes);
}

static double best_ms(struct slice text)
{
    double best = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        double began = now_ms();
        check(token_count(vocabulary_at(0), text) > 0);
        double took = now_ms() - began;
        if (i == 0 || took < best) best = took;
    }
    return best;
}

static void append_random(struct buf *to, const char *kind, size_t bytes)
{
    uint32_t state = 1;
    while (buf_len(to) < bytes) {
        uint32_t han = 0x4E00 + random_below(&state, 0x5200);
        char three[] = {(char)(0xE0 | han >> 12), (char)(0x80 | (han >> 6 & 0x3F)), (char)(0x80 | (han & 0x3F))};
        if (strcmp(kind, "han") == 0) buf_append(to, slice_of(three, 3));
        else if (strcmp(kind, "letters") == 0) buf_append_char(to, (char)('a' + random_below(&state, 26)));
        else if (strcmp(kind, "symbols") == 0) buf_append_char(to, "=-/*#_"[random_below(&state, 6)]);
        else buf_append(to, slice_str(kind));
    }
}

static void worst(size_t bytes)
{
    static const char *const kinds[] = {"a", " ", "=", "/", "-", "_", "\n", "ab", "\xE7\x9A\x84", "han", "letters",
                                        "symbols", "\xF0\x9F\x91\x8D", "A", "=-"};
    double most = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct buf text;
        buf_init(&text);
        append_random(&text, kinds[i], bytes);
        double ms = best_ms(buf_slice(&text));
        if (ms > most) most = ms;
        printf("%.1f ms  1 MB of %s\n", ms, kinds[i][0] == '\n' ? "newlines" : kinds[i]);
        buf_clear(&text);
    }
    printf("worst %.2f\n", most);
}

static void map(void)
{
    double began = now_ms();
    check(token_count(vocabulary_at(0), SLICE("What is the capital of France?")) > 0);
    double took = now_ms() - began;
    printf("map %zu %.3f\n", vocabulary_bytes(vocabulary_at(0)) + vocabulary_bytes(vocabulary_at(1)), took);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "map", *kind = argc > 2 ? argv[2] : "english";
    size_t bytes = argc > 3 ? strtoul(argv[argc - 1], NULL, 10) : 1u << 20;
    struct buf to;
    buf_init(&to);
    if (strcmp(what, "map") == 0) {
        map();
    } else if (strcmp(what, "worst") == 0) {
        worst(1u << 20);
    } else if (strcmp(what, "text") == 0) {
        struct slice text = make_text(&to, kind, bytes);
        fwrite(text.ptr, 1, text.len, stdout);
    } else if (strcmp(what, "speed") == 0) {
        struct slice text = make_text(&to, kind, bytes);
        uint64_t tokens = token_count(vocabulary_at(0), text);
        printf("speed %.1f %.2f\n", (double)bytes / 1e3 / best_ms(text), (double)bytes / (double)tokens);
    } else {
        struct slice text = make_text(&to, kind, bytes);
        for (unsigned long rounds = strtoul(argv[3], NULL, 10); rounds > 0; rounds--)
            check(token_count(vocabulary_at(0), text) > 0);
    }
    buf_clear(&to);
    return 0;
}
