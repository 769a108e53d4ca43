#include "bgp/wire/attributes.hpp"

#include <sstream>

#include "base/byte_reader.hpp"
#include "bgp/wire/capability.hpp"
#include "tests/unit/bgp/raw_peer.hpp"
#include "tests/unit/bgp/vectors.hpp"

namespace torii::bgp::test {
namespace {

std::vector<Bytes> vectors() {
    std::istringstream lines{read_vectors("bgp_wire_vectors.jsonl")};
    std::vector<Bytes> out;
    for (std::string line; std::getline(lines, line);)
        if (auto bytes = unhex(field(line, "hex")); !bytes.empty()) out.push_back(std::move(bytes));
    return out;
}

std::vector<DecodeContext> contexts() {
    std::vector<DecodeContext> out;
    for (int bits = 0; bits < 16; ++bits) {
        DecodeContext c;
        c.four_octet_as = bits & 1;
        c.ebgp = bits & 2;
        c.extended_next_hop = true;
        c.add_path = {(bits & 4) != 0, (bits & 4) != 0};
        c.enforce_first_as = false;
        c.allow_as_set = bits & 8;
        out.push_back(c);
    }
    return out;
}

std::vector<Prefix> list(const NlriList& nlri) {
    std::vector<Prefix> out;
    for_each_nlri(nlri, [&](const Prefix& p, std::uint32_t) { out.push_back(p); });
    return out;
}

TEST(WireVectors, NeverCrashADecoder) {
    AttributeStorage storage;
    std::size_t n = 0;
    for (const auto& bytes : vectors()) {
        ++n;
        const std::span<const std::uint8_t> all{bytes};
        for (const bool extended : {false, true}) (void)next_frame(all, extended);
        for (const auto& context : contexts())
            for (std::size_t cut = 0; cut <= bytes.size(); cut = cut == 0 ? 19 : cut + 1000) {
                if (cut > bytes.size()) break;
                (void)decode_update(all.subspan(cut), context, storage);
                (void)decode_attributes(all.subspan(cut), context, storage);
            }
        (void)decode_open(all);
        (void)decode_notification(all);
        (void)decode_refresh(all);
        Capabilities c;
        for (unsigned code = 0; code < 256; ++code)
            (void)decode_capability(static_cast<std::uint8_t>(code), all, c);
    }
    EXPECT_EQ(n, 999u);
}

TEST(WireVectors, EachValidUpdateSurvivesEncodingAndDecoding) {
    AttributeStorage storage, again_storage;
    std::size_t survived = 0;
    for (const auto& bytes : vectors())
        for (const auto& context : contexts()) {
            const auto frame = next_frame(bytes, true);
            if (!frame || !*frame || (*frame)->type != MessageType::Update) continue;
            const auto update = decode_update((*frame)->body, context, storage);
            if (!update || update->recovery != Recovery::None || !update->announces()) continue;
            const auto& nlri = update->announced.empty() ? update->reach->nlri : update->announced;

            OutgoingAttributes out;
            out.next_hop =
                update->announced.empty() ? update->reach->next_hop : update->attributes.next_hop;
            auto attributes = update->attributes;
            attributes.next_hop = out.next_hop;
            encode_attributes(attributes, context.four_octet_as,
                              nlri.family == Family::Ip4 && out.next_hop.is_v4(), out.bytes);
            std::vector<Announcement> prefixes;
            for_each_nlri(nlri, [&](const Prefix& p, std::uint32_t id) {
                prefixes.push_back({p, id});
            });
            Bytes message;
            if (encode_announcements(prefixes, out, {kMaxExtendedMessage, nlri.add_path},
                                     message) != 0)
                continue;

            const auto again_frame = next_frame(message, true);
            ASSERT_TRUE(again_frame && *again_frame);
            const auto again = decode_update((*again_frame)->body, context, again_storage);
            ASSERT_TRUE(again);
            ASSERT_EQ(again->recovery, Recovery::None) << again->complaint;
            const auto& b = again->attributes;
            EXPECT_EQ(attributes.present & ~std::uint64_t{8}, b.present & ~std::uint64_t{8});
            EXPECT_TRUE(std::ranges::equal(attributes.as_path, b.as_path));
            EXPECT_TRUE(std::ranges::equal(attributes.communities, b.communities));
            EXPECT_TRUE(
                std::ranges::equal(attributes.extended_communities, b.extended_communities));
            EXPECT_TRUE(std::ranges::equal(attributes.large_communities, b.large_communities));
            EXPECT_TRUE(std::ranges::equal(attributes.cluster_list, b.cluster_list));
            EXPECT_TRUE(std::ranges::equal(attributes.others, b.others));
            EXPECT_EQ(attributes.med, b.med);
            EXPECT_EQ(attributes.local_pref, b.local_pref);
            EXPECT_EQ(attributes.aggregator_as, b.aggregator_as);
            EXPECT_EQ(list(nlri),
                      list(again->announced.empty() ? again->reach->nlri : again->announced));
            ++survived;
        }
    EXPECT_GT(survived, 100u);
}

TEST(ViewAttributes, SeesWhatEncodeWrote) {
    Bytes path = unhex("020200010000000200000003");
    path = unhex("02020000fde90000fbf4");
    const auto communities = unhex("fde90001fde90002");
    const auto others = unhex("e0c8020102");
    Attributes a;
    for (const auto code : {Attribute::Origin, Attribute::AsPath, Attribute::Med,
                            Attribute::Communities, Attribute::OnlyToCustomer})
        a.set(code);
    a.origin = Origin::Egp;
    a.as_path = path;
    a.med = 7;
    a.communities = communities;
    a.only_to_customer = 65001;
    a.others = others;
    Bytes bytes;
    encode_attributes(a, true, false, bytes);
    const auto b = view_attributes(bytes);
    EXPECT_EQ(b.present, a.present);
    EXPECT_EQ(b.origin, Origin::Egp);
    EXPECT_EQ(b.med, 7u);
    EXPECT_EQ(b.only_to_customer, 65001u);
    EXPECT_TRUE(std::ranges::equal(b.others, others));
    EXPECT_TRUE(std::ranges::equal(b.as_path, path));
}

}  // namespace
}  // namespace torii::bgp::test
