/*
 * Golden usage objects of the Anthropic and Gemini shapes,
 * with the parts and the nano-dollars that they come to.
 *
 *     static const struct golden golden_vendors[] … each row as golden.h says.
 *
 * Parts were worked out by hand from the vendors' documents, costs from them and the rates in test_golden.c: the
 * comment is the sum in nano-dollars.
 */
#ifndef MOONGATE_TESTS_GOLDEN_VENDORS_H
#define MOONGATE_TESTS_GOLDEN_VENDORS_H

#include "golden.h"

static const struct golden golden_vendors[] = {
    /* --- Anthropic --- */
    {.name = "nothing cached", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':12,'cache_creation_input_tokens':0,'cache_read_input_tokens':0,"
                 "'cache_creation':{'ephemeral_5m_input_tokens':0,'ephemeral_1h_input_tokens':0},'output_tokens':29,"
                 "'service_tier':'standard'}}"},
     .parts = {[IN] = 12, [OUT] = 29, [REQ] = 1},
     .price = PLAIN, .tier = "standard", .nano = 320000}, /* 12 * 2500 + 29 * 10000 */
    {.name = "the cache is beside the input", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':18,'cache_read_input_tokens':8831,'output_tokens':15}}"},
     .parts = {[IN] = 18, [CACHED] = 8831, [OUT] = 15, [REQ] = 1},
     .price = PLAIN, .nano = 11233750}, /* 18 * 2500 + 8831 * 1250 + 15 * 10000 */
    {.name = "written for 5 minutes and an hour", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':10,'cache_creation_input_tokens':300,'cache_read_input_tokens':50,"
                 "'cache_creation':{'ephemeral_5m_input_tokens':100,'ephemeral_1h_input_tokens':200},"
                 "'output_tokens':20}}"},
     .parts = {[IN] = 10, [CACHED] = 50, [WRITE] = 100, [WRITE_1H] = 200, [OUT] = 20, [REQ] = 1},
     .price = PLAIN, .nano = 1600000}, /* 10 * 2500 + 50 * 1250 + 100 * 3125 + 200 * 5000 + 20 * 10000 */
    {.name = "written for a time not said", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':18,'cache_creation_input_tokens':1031,'cache_read_input_tokens':0,"
                 "'output_tokens':100}}"},
     .parts = {[IN] = 18, [WRITE] = 1031, [OUT] = 100, [REQ] = 1},
     .price = PLAIN, .nano = 4266875}, /* 18 * 2500 + 1031 * 3125 + 100 * 10000 */
    {.name = "only the two lives are said", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':18,'cache_creation':{'ephemeral_5m_input_tokens':3,"
                 "'ephemeral_1h_input_tokens':4},'output_tokens':1}}"},
     .parts = {[IN] = 18, [WRITE] = 3, [WRITE_1H] = 4, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .nano = 84375}, /* 18 * 2500 + 3 * 3125 + 4 * 5000 + 1 * 10000 */
    {.name = "a stream, cumulative", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'type':'message_start','message':{'usage':{'input_tokens':25,'output_tokens':1}}}",
                 "{'type':'message_delta','usage':{'output_tokens':15}}"},
     .parts = {[IN] = 25, [OUT] = 15, [REQ] = 1},
     .price = PLAIN, .nano = 212500}, /* 25 * 2500 + 15 * 10000 */
    {.name = "Kimi: the delta corrects the start", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'message':{'usage':{'input_tokens':8834,'output_tokens':1}}}",
                 "{'usage':{'input_tokens':18,'cache_read_input_tokens':8831,'output_tokens':15}}"},
     .parts = {[IN] = 18, [CACHED] = 8831, [OUT] = 15, [REQ] = 1},
     .price = PLAIN, .nano = 11233750}, /* 18 * 2500 + 8831 * 1250 + 15 * 10000 */
    {.name = "several deltas, the last counts", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'message':{'usage':{'input_tokens':868,'cache_read_input_tokens':0,'output_tokens':5}}}",
                 "{'usage':{'output_tokens':67}}",
                 "{'usage':{'input_tokens':4230,'output_tokens':446,'server_tool_use':{'web_fetch_requests':1}}}"},
     .parts = {[IN] = 4230, [OUT] = 446, [REQ] = 1},
     .price = PLAIN, .nano = 15035000}, /* 4230 * 2500 + 446 * 10000 */
    {.name = "null and absent keep what was said", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'message':{'usage':{'input_tokens':25,'cache_read_input_tokens':7,'output_tokens':1}}}",
                 "{'usage':{'input_tokens':null,'cache_read_input_tokens':null,'output_tokens':15}}"},
     .parts = {[IN] = 25, [CACHED] = 7, [OUT] = 15, [REQ] = 1},
     .price = PLAIN, .nano = 221250}, /* 25 * 2500 + 7 * 1250 + 15 * 10000 */
    {.name = "thinking is inside", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':51,'output_tokens':1699,'output_tokens_details':{'thinking_tokens':139}}}"},
     .parts = {[IN] = 51, [OUT] = 1560, [REASON] = 139, [REQ] = 1},
     .price = PLAIN, .nano = 17395500}, /* 51 * 2500 + 1560 * 10000 + 139 * 12000 */
    {.name = "a compaction is paid beside", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':23,'output_tokens':45,'iterations':[{'type':'compaction',"
                 "'input_tokens':1800,'output_tokens':350,'cache_read_input_tokens':7,"
                 "'cache_creation_input_tokens':9,'cache_creation':{'ephemeral_5m_input_tokens':4,"
                 "'ephemeral_1h_input_tokens':5}},{'type':'message','input_tokens':23,'output_tokens':45}]}}"},
     .parts = {[IN] = 1823, [CACHED] = 7, [WRITE] = 4, [WRITE_1H] = 5, [OUT] = 395, [REQ] = 1},
     .price = PLAIN, .nano = 8553750}, /* 1823 * 2500 + 7 * 1250 + 4 * 3125 + 5 * 5000 + 395 * 10000 */
    {.name = "an advisor's tokens are another model's", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':2411,'output_tokens':145,'iterations':[{'type':'message',"
                 "'input_tokens':1128,'output_tokens':135},{'type':'advisor_message','model':'other',"
                 "'input_tokens':2543,'output_tokens':18},{'type':'message','input_tokens':1283,"
                 "'output_tokens':10}]}}"},
     .parts = {[IN] = 2411, [OUT] = 145, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 7477500}, /* 2411 * 2500 + 145 * 10000 */
    {.name = "lives less than the whole", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':1,'cache_creation_input_tokens':500,"
                 "'cache_creation':{'ephemeral_5m_input_tokens':100,'ephemeral_1h_input_tokens':20},"
                 "'output_tokens':1}}"},
     .parts = {[IN] = 1, [WRITE] = 480, [WRITE_1H] = 20, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 1612500}, /* 1 * 2500 + 480 * 3125 + 20 * 5000 + 1 * 10000 */
    {.name = "lives more than the whole", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':1,'cache_creation_input_tokens':100,"
                 "'cache_creation':{'ephemeral_5m_input_tokens':100,'ephemeral_1h_input_tokens':200},"
                 "'output_tokens':1}}"},
     .parts = {[IN] = 1, [WRITE_1H] = 100, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 512500}, /* 1 * 2500 + 100 * 5000 + 1 * 10000 */
    {.name = "more thinking than output", .shape = USAGE_SHAPE_ANTHROPIC,
     .reports = {"{'usage':{'input_tokens':1,'output_tokens':5,'output_tokens_details':{'thinking_tokens':6}}}"},
     .parts = {[IN] = 1, [REASON] = 5, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 62500}, /* 1 * 2500 + 5 * 12000 */
    /* --- Gemini --- */
    {.name = "thoughts are beside", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'candidatesTokenCount':25,'promptTokenCount':341,"
                 "'promptTokensDetails':[{'modality':'TEXT','tokenCount':341}],'thoughtsTokenCount':40,"
                 "'totalTokenCount':406,'serviceTier':'standard'}}"},
     .parts = {[IN] = 341, [OUT] = 25, [REASON] = 40, [REQ] = 1},
     .price = PLAIN, .tier = "standard", .nano = 1582500}, /* 341 * 2500 + 25 * 10000 + 40 * 12000 */
    {.name = "a tool's results are input", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':32,'candidatesTokenCount':477,'totalTokenCount':1513,"
                 "'toolUsePromptTokenCount':764,'toolUsePromptTokensDetails':[{'modality':'TEXT','tokenCount':764}],"
                 "'thoughtsTokenCount':240}}"},
     .parts = {[IN] = 796, [OUT] = 477, [REASON] = 240, [REQ] = 1},
     .price = PLAIN, .nano = 9640000}, /* 796 * 2500 + 477 * 10000 + 240 * 12000 */
    {.name = "pictures in the results", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':32,'candidatesTokenCount':10,'totalTokenCount':342,"
                 "'toolUsePromptTokenCount':300,'toolUsePromptTokensDetails':[{'modality':'TEXT','tokenCount':42},"
                 "{'modality':'IMAGE','tokenCount':258}]}}"},
     .parts = {[IN] = 74, [IMAGE_IN] = 258, [OUT] = 10, [REQ] = 1},
     .price = PLAIN, .nano = 1833000}, /* 74 * 2500 + 258 * 6000 + 10 * 10000 */
    {.name = "4 of text, 258 of an image", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':262,'candidatesTokenCount':10,'totalTokenCount':272,"
                 "'promptTokensDetails':[{'modality':'TEXT','tokenCount':4},{'modality':'IMAGE','tokenCount':258}]}}"},
     .parts = {[IN] = 4, [IMAGE_IN] = 258, [OUT] = 10, [REQ] = 1},
     .price = PLAIN, .nano = 1658000}, /* 4 * 2500 + 258 * 6000 + 10 * 10000 */
    {.name = "sound, partly cached", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':1000,'cachedContentTokenCount':600,'candidatesTokenCount':10,"
                 "'totalTokenCount':1010,'promptTokensDetails':[{'modality':'TEXT','tokenCount':200},"
                 "{'modality':'AUDIO','tokenCount':800}],'cacheTokensDetails':[{'modality':'TEXT','tokenCount':100},"
                 "{'modality':'AUDIO','tokenCount':500}]}}"},
     .parts = {[IN] = 100, [CACHED] = 600, [AUDIO_IN] = 300, [OUT] = 10, [REQ] = 1},
     .price = PLAIN, .nano = 13100000}, /* 100 * 2500 + 600 * 1250 + 300 * 40000 + 10 * 10000 */
    {.name = "all pictures cached", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':100,'cachedContentTokenCount':90,'candidatesTokenCount':1,"
                 "'totalTokenCount':101,'promptTokensDetails':[{'modality':'TEXT','tokenCount':20},"
                 "{'modality':'IMAGE','tokenCount':80}],'cacheTokensDetails':[{'modality':'TEXT','tokenCount':10},"
                 "{'modality':'IMAGE','tokenCount':80}]}}"},
     .parts = {[IN] = 10, [CACHED] = 90, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .nano = 147500}, /* 10 * 2500 + 90 * 1250 + 1 * 10000 */
    {.name = "video and a document", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':900,'candidatesTokenCount':1,'totalTokenCount':901,"
                 "'promptTokensDetails':[{'modality':'VIDEO','tokenCount':500},{'modality':'DOCUMENT',"
                 "'tokenCount':300},{'modality':'TEXT','tokenCount':100}]}}"},
     .parts = {[IN] = 400, [IMAGE_IN] = 500, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .nano = 4010000}, /* 400 * 2500 + 500 * 6000 + 1 * 10000 */
    {.name = "an image out", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':5,'candidatesTokenCount':1300,'totalTokenCount':1305,"
                 "'candidatesTokensDetails':[{'modality':'IMAGE','tokenCount':1290}]}}"},
     .parts = {[IN] = 5, [OUT] = 10, [IMAGE_OUT] = 1290, [REQ] = 1},
     .price = PLAIN, .nano = 38812500}, /* 5 * 2500 + 10 * 10000 + 1290 * 30000 */
    {.name = "speech out", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':5,'candidatesTokenCount':75,'totalTokenCount':80,"
                 "'candidatesTokensDetails':[{'modality':'AUDIO','tokenCount':75}]}}"},
     .parts = {[IN] = 5, [AUDIO_OUT] = 75, [REQ] = 1},
     .price = PLAIN, .nano = 6012500}, /* 5 * 2500 + 75 * 80000 */
    {.name = "modalities as numbers", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':265,'totalTokenCount':269,'trafficType':1,"
                 "'promptTokensDetails':[{'modality':1,'tokenCount':3},{'modality':2,'tokenCount':258},{'modality':4,"
                 "'tokenCount':4}],'thoughtsTokenCount':4}}"},
     .parts = {[IN] = 3, [AUDIO_IN] = 4, [IMAGE_IN] = 258, [REASON] = 4, [REQ] = 1},
     .price = PLAIN, .nano = 1763500}, /* 3 * 2500 + 4 * 40000 + 258 * 6000 + 4 * 12000 */
    {.name = "in every chunk, the last counts", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':34,'totalTokenCount':821,'thoughtsTokenCount':787}}",
                 "{'usageMetadata':{'promptTokenCount':34,'candidatesTokenCount':469,'totalTokenCount':1290,"
                 "'thoughtsTokenCount':787}}"},
     .parts = {[IN] = 34, [OUT] = 469, [REASON] = 787, [REQ] = 1},
     .price = PLAIN, .nano = 14219000}, /* 34 * 2500 + 469 * 10000 + 787 * 12000 */
    {.name = "a list of chunks", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"[{'usageMetadata':{'promptTokenCount':11,'totalTokenCount':11}},{'candidates':[]},"
                 "{'usageMetadata':{'promptTokenCount':11,'candidatesTokenCount':16,'thoughtsTokenCount':232,"
                 "'totalTokenCount':259}}]"},
     .parts = {[IN] = 11, [OUT] = 16, [REASON] = 232, [REQ] = 1},
     .price = PLAIN, .nano = 2971500}, /* 11 * 2500 + 16 * 10000 + 232 * 12000 */
    {.name = "live: a response, not candidates", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':11,'responseTokenCount':25,'totalTokenCount':36,"
                 "'responseTokensDetails':[{'modality':'AUDIO','tokenCount':20},{'modality':'TEXT','tokenCount':5}]}}"},
     .parts = {[IN] = 11, [OUT] = 5, [AUDIO_OUT] = 20, [REQ] = 1},
     .price = PLAIN, .nano = 1677500}, /* 11 * 2500 + 5 * 10000 + 20 * 80000 */
    {.name = "the total does not hold", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':11,'candidatesTokenCount':5,'totalTokenCount':20}}"},
     .parts = {[IN] = 11, [OUT] = 5, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 77500}, /* 11 * 2500 + 5 * 10000 */
    {.name = "the cache is larger than the prompt", .shape = USAGE_SHAPE_GEMINI,
     .reports = {"{'usageMetadata':{'promptTokenCount':11,'cachedContentTokenCount':12,'candidatesTokenCount':5,"
                 "'totalTokenCount':16}}"},
     .parts = {[CACHED] = 11, [OUT] = 5, [REQ] = 1},
     .price = PLAIN, .is_suspect = true, .nano = 63750}, /* 11 * 1250 + 5 * 10000 */
};

#endif
