/*
 * Golden usage objects at the edges of prices and of what can be believed,
 * with the parts and the nano-dollars that they come to.
 *
 *     static const struct golden golden_edges[] … each row as golden.h says.
 *
 * Parts were worked out by hand from the vendors' documents, costs from them and the rates in test_golden.c: the
 * comment is the sum in nano-dollars.
 */
#ifndef MOONGATE_TESTS_GOLDEN_EDGES_H
#define MOONGATE_TESTS_GOLDEN_EDGES_H

#include "golden.h"

static const struct golden golden_edges[] = {
    /* --- rates, tiers and thresholds --- */
    {.name = "half a nano-dollar is rounded up", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':1,'completion_tokens':0,'total_tokens':1}}"},
     .parts = {[IN] = 1, [REQ] = 1},
     .price = ODD, .nano = 38}, /* 1 * 37.5 = 37.5, up */
    {.name = "rounded once, not part by part", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':6,'completion_tokens':0,'total_tokens':6,"
                 "'prompt_tokens_details':{'cached_tokens':3}}}"},
     .parts = {[IN] = 3, [CACHED] = 3, [REQ] = 1},
     .price = ODD, .nano = 169}, /* 3 * 37.5 + 3 * 18.75 = 168.75, up */
    {.name = "a thousandth of a nano-dollar is rounded up", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':4,'completion_tokens':1,'total_tokens':5}}"},
     .parts = {[IN] = 4, [OUT] = 1, [REQ] = 1},
     .price = ODD, .nano = 301}, /* 4 * 37.5 + 1 * 150.001 = 300.001, up */
    {.name = "an image without a rate is flagged", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':262,'completion_tokens':5,'total_tokens':267,"
                 "'prompt_tokens_details':{'image_tokens':258}}}"},
     .parts = {[IN] = 4, [IMAGE_IN] = 258, [OUT] = 5, [REQ] = 1},
     .price = TEXT, .missing = 1u << IMAGE_IN, .nano = 60000}, /* 4 * 2500 + 5 * 10000 */
    {.name = "so are sound and what was cached", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':100,'completion_tokens':9,'total_tokens':109,"
                 "'prompt_tokens_details':{'cached_tokens':10,'audio_tokens':60},"
                 "'completion_tokens_details':{'audio_tokens':8}}}"},
     .parts = {[IN] = 30, [CACHED] = 10, [AUDIO_IN] = 60, [OUT] = 1, [AUDIO_OUT] = 8, [REQ] = 1},
     .price = TEXT, .missing = 1u << CACHED | 1u << AUDIO_IN | 1u << AUDIO_OUT, .nano = 85000},
     /* 30 * 2500 + 1 * 10000 */
    {.name = "a fee a request", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':10,'completion_tokens':2,'total_tokens':12}}"},
     .parts = {[IN] = 10, [OUT] = 2, [REQ] = 1},
     .price = FEE, .nano = 5045000}, /* 10 * 2500 + 2 * 10000 + 1 * 5000000 */
    {.name = "long: the cached part counts too, all parts are dearer", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':278476,'completion_tokens':1000,'total_tokens':279476,"
                 "'prompt_tokens_details':{'cached_tokens':7936}}}"},
     .parts = {[IN] = 270540, [CACHED] = 7936, [OUT] = 1000, [REQ] = 1},
     .price = LONG, .is_long = true, .nano = 1387540000}, /* 270540 * 5000 + 7936 * 2500 + 1000 * 15000 */
    {.name = "exactly at an exclusive threshold", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':272000,'completion_tokens':1000,'total_tokens':273000,"
                 "'prompt_tokens_details':{'cached_tokens':7936}}}"},
     .parts = {[IN] = 264064, [CACHED] = 7936, [OUT] = 1000, [REQ] = 1},
     .price = LONG, .nano = 680080000}, /* 264064 * 2500 + 7936 * 1250 + 1000 * 10000 */
    {.name = "one beyond it", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':272001,'completion_tokens':1000,'total_tokens':273001}}"},
     .parts = {[IN] = 272001, [OUT] = 1000, [REQ] = 1},
     .price = LONG, .is_long = true, .nano = 1375005000}, /* 272001 * 5000 + 1000 * 15000 */
    {.name = "long by what is beside the input", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':100000,'cache_read_input_tokens':150000,"
                 "'cache_creation_input_tokens':30000,'output_tokens':10}}"},
     .parts = {[IN] = 100000, [CACHED] = 150000, [WRITE] = 30000, [OUT] = 10, [REQ] = 1},
     .price = LONG, .is_long = true, .nano = 1062650000},
     /* 100000 * 5000 + 150000 * 2500 + 30000 * 6250 + 10 * 15000 */
    {.name = "output does not make it long", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':200000,'output_tokens':100000}}"},
     .parts = {[IN] = 200000, [OUT] = 100000, [REQ] = 1},
     .price = LONG, .nano = 1500000000}, /* 200000 * 2500 + 100000 * 10000 */
    {.name = "exactly at an inclusive threshold", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':200000,'candidatesTokenCount':10,'totalTokenCount':200010}}"},
     .parts = {[IN] = 200000, [OUT] = 10, [REQ] = 1},
     .price = FROM, .is_long = true, .nano = 500075000}, /* 200000 * 2500 + 10 * 7500 */
    {.name = "one below it", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':199999,'candidatesTokenCount':10,'totalTokenCount':200009}}"},
     .parts = {[IN] = 199999, [OUT] = 10, [REQ] = 1},
     .price = FROM, .nano = 250048750}, /* 199999 * 1250 + 10 * 5000 */
    {.name = "batch", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':1001,'output_tokens':3,'service_tier':'batch'}}"},
     .parts = {[IN] = 1001, [OUT] = 3, [REQ] = 1},
     .price = TIERS, .tier = "batch", .nano = 1266250}, /* 1001 * 1250 + 3 * 5000 */
    {.name = "priority, at the top of the answer", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'service_tier':'priority','usage':{'prompt_tokens':11,'completion_tokens':2,'total_tokens':13}}"},
     .parts = {[IN] = 11, [OUT] = 2, [REQ] = 1},
     .price = TIERS, .tier = "priority", .nano = 80750}, /* 11 * 4250 + 2 * 17000 */
    {.name = "what was given counts, not what was asked", .shape = USAGE_SHAPE_RESPONSES,
     .reports = {"{'response':{'service_tier':'auto','usage':null}}",
                 "{'response':{'service_tier':'priority','usage':{'input_tokens':11,'output_tokens':2,"
                 "'total_tokens':13}}}"},
     .parts = {[IN] = 11, [OUT] = 2, [REQ] = 1},
     .price = TIERS, .tier = "priority", .nano = 80750}, /* 11 * 4250 + 2 * 17000 */
    {.name = "default is the usual one", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'service_tier':'default','usage':{'prompt_tokens':11,'completion_tokens':2,'total_tokens':13}}"},
     .parts = {[IN] = 11, [OUT] = 2, [REQ] = 1},
     .price = TIERS, .tier = "default", .nano = 47500}, /* 11 * 2500 + 2 * 10000 */
    {.name = "Groq's on_demand is the usual one", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'service_tier':'on_demand','usage':{'prompt_tokens':11,'completion_tokens':2,'total_tokens':13}}"},
     .parts = {[IN] = 11, [OUT] = 2, [REQ] = 1},
     .price = TIERS, .tier = "on_demand", .nano = 47500}, /* 11 * 2500 + 2 * 10000 */
    {.name = "traffic on demand is the usual one", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':11,'candidatesTokenCount':2,'totalTokenCount':13,"
                 "'trafficType':'ON_DEMAND'}}"},
     .parts = {[IN] = 11, [OUT] = 2, [REQ] = 1},
     .price = TIERS, .tier = "ON_DEMAND", .nano = 47500}, /* 11 * 2500 + 2 * 10000 */
    {.name = "traffic on demand with priority", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':11,'candidatesTokenCount':2,'totalTokenCount':13,"
                 "'trafficType':'ON_DEMAND_PRIORITY'}}"},
     .parts = {[IN] = 11, [OUT] = 2, [REQ] = 1},
     .price = TIERS, .tier = "ON_DEMAND_PRIORITY", .nano = 80750}, /* 11 * 4250 + 2 * 17000 */
    {.name = "a tier without rates", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':54,'candidatesTokenCount':74,'thoughtsTokenCount':121,"
                 "'totalTokenCount':249,'trafficType':'PROVISIONED_THROUGHPUT'}}"},
     .parts = {[IN] = 54, [OUT] = 74, [REASON] = 121, [REQ] = 1},
     .price = TIERS, .tier = "PROVISIONED_THROUGHPUT", .is_tier_missing = true, .nano = 2085000},
     /* 54 * 2500 + 74 * 10000 + 121 * 10000 */
    /* --- absurd and contradictory --- */
    {.name = "negative", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':-100,'completion_tokens':5}}"},
     .parts = {[OUT] = 5, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 50000}, /* 5 * 10000 */
    {.name = "2^63", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':9223372036854775808,'completion_tokens':5}}"},
     .parts = {[OUT] = 5, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 50000}, /* 5 * 10000 */
    {.name = "a string, a float, an exponent too large", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':'100','completion_tokens':5.5,'total_tokens':1e16}}"},
     .parts = {0},
     .price = PLAIN, .is_suspect = true, .nano = 0}, /* 0 */
    {.name = "a bad count keeps the good one before it", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':9,'completion_tokens':4}}",
                 "{'usage':{'prompt_tokens':-1,'completion_tokens':true}}"},
     .parts = {[IN] = 9, [OUT] = 4, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 62500}, /* 9 * 2500 + 4 * 10000 */
    {.name = "a member twice: the last, as for the client", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':1,'completion_tokens':5,'prompt_tokens':1000}}"},
     .parts = {[IN] = 1000, [OUT] = 5, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 2550000}, /* 1000 * 2500 + 5 * 10000 */
    {.name = "the report twice", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':1,'completion_tokens':5},'usage':{'prompt_tokens':7,"
                 "'completion_tokens':8}}"},
     .parts = {[IN] = 7, [OUT] = 8, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 97500}, /* 7 * 2500 + 8 * 10000 */
    {.name = "no object", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':'free'}"},
     .parts = {0},
     .price = PLAIN, .is_suspect = true, .nano = 0}, /* 0 */
    {.name = "details of another kind are no details", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':3,'completion_tokens':5,'prompt_tokens_details':[1],"
                 "'completion_tokens_details':'x'}}"},
     .parts = {[IN] = 3, [OUT] = 5, [REQ] = 1},
     .price = PLAIN, .nano = 57500}, /* 3 * 2500 + 5 * 10000 */
    {.name = "the most that is believed", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':9007199254740992,'completion_tokens':9007199254740992,"
                 "'prompt_tokens_details':{'audio_tokens':9007199254740992}}}"},
     .parts = {[AUDIO_IN] = 9007199254740992, [OUT] = 9007199254740992, [REQ] = 1},
     .price = PLAIN, .nano = INT64_MAX}, /* beyond int64 */
    {.name = "less in total than in its parts", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':5,'completion_tokens':2,'total_tokens':6}}"},
     .parts = {[IN] = 5, [OUT] = 2, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 32500}, /* 5 * 2500 + 2 * 10000 */
    {.name = "more in total, and not by reasoning", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':5,'completion_tokens':2,'total_tokens':9,"
                 "'completion_tokens_details':{'reasoning_tokens':1}}}"},
     .parts = {[IN] = 5, [OUT] = 3, [REASON] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 54500}, /* 5 * 2500 + 3 * 10000 + 1 * 12000 */
    {.name = "no output, but the total has it", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':5,'total_tokens':9}}"},
     .parts = {[IN] = 5, [OUT] = 4, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 52500}, /* 5 * 2500 + 4 * 10000 */
    {.name = "no input, but the total has it", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'completion_tokens':4,'total_tokens':9}}"},
     .parts = {[IN] = 5, [OUT] = 4, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 52500}, /* 5 * 2500 + 4 * 10000 */
    {.name = "nothing but a total", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'total_tokens':9}}"},
     .parts = {[IN] = 9, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 22500}, /* 9 * 2500 */
    {.name = "more cached than read, no total", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':5,'completion_tokens':1,'prompt_tokens_details':{'cached_tokens':6}}}"},
     .parts = {[IN] = 5, [CACHED] = 6, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 30000}, /* 5 * 2500 + 6 * 1250 + 1 * 10000 */
    {.name = "more cached than read, and a total that holds", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':5,'completion_tokens':1,'total_tokens':6,"
                 "'prompt_tokens_details':{'cached_tokens':6}}}"},
     .parts = {[CACHED] = 5, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 16250}, /* 5 * 1250 + 1 * 10000 */
    {.name = "more reasoning than output, no total", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':5,'completion_tokens':1,"
                 "'completion_tokens_details':{'reasoning_tokens':290}}}"},
     .parts = {[IN] = 5, [OUT] = 1, [REASON] = 290, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 3502500}, /* 5 * 2500 + 1 * 10000 + 290 * 12000 */
    {.name = "more sound than there is", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':20,'completion_tokens':4,'total_tokens':24,"
                 "'prompt_tokens_details':{'cached_tokens':1,'audio_tokens':2},"
                 "'completion_tokens_details':{'reasoning_tokens':3,'audio_tokens':4}}}"},
     .parts = {[IN] = 17, [CACHED] = 1, [AUDIO_IN] = 2, [REASON] = 3, [AUDIO_OUT] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 239750},
     /* 17 * 2500 + 1 * 1250 + 2 * 40000 + 3 * 12000 + 1 * 80000 */
    {.name = "a tier that is no word", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'service_tier':'a\\u0000 b','usage':{'prompt_tokens':1,'completion_tokens':1,'total_tokens':2}}"},
     .parts = {[IN] = 1, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 12500}, /* 1 * 2500 + 1 * 10000 */
    {.name = "a sum of modalities that would wrap", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':7,'candidatesTokenCount':1,'totalTokenCount':8,"
                 "'promptTokensDetails':[{'modality':'IMAGE','tokenCount':9007199254740992},{'modality':'IMAGE',"
                 "'tokenCount':9007199254740992}]}}"},
     .parts = {[IMAGE_IN] = 7, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 52000}, /* 7 * 6000 + 1 * 10000 */
};

#endif
