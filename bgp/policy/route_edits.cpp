#include "bgp/policy/route_edits.hpp"

#include <algorithm>
#include <limits>

namespace torii::bgp {

namespace {

// One of the three lists of communities, as a view and as what backs it.
struct List {
    Attribute code;
    std::span<const std::uint8_t> Attributes::*view;
    std::vector<std::uint8_t> PolicyStorage::*bytes;
};
constexpr List kLists[] = {
    {Attribute::Communities, &Attributes::communities, &PolicyStorage::standard},
    {Attribute::ExtendedCommunities, &Attributes::extended_communities, &PolicyStorage::extended},
    {Attribute::LargeCommunities, &Attributes::large_communities, &PolicyStorage::large},
};

bool contains(std::span<const std::uint8_t> list, const CommunityPattern& wanted) {
    const auto size = community_size(wanted.kind);
    for (; list.size() >= size; list = list.subspan(size))
        if (wanted.matches(list.first(size))) return true;
    return false;
}

void edit_list(CommunityKind kind, const TermEdits& edits, PolicyRoute& route,
               PolicyStorage& storage) {
    const auto of_kind = [&](const CommunityPattern& p) { return p.kind == kind; };
    if (!edits.communities && std::ranges::none_of(edits.remove_communities, of_kind) &&
        std::ranges::none_of(edits.add_communities, of_kind))
        return;
    const List& list = kLists[static_cast<std::size_t>(kind)];
    auto& a = route.attributes;
    const auto size = community_size(kind);
    auto& out = storage.scratch;
    out.clear();
    const auto add = [&](const CommunityPattern& p) {
        if (of_kind(p) && !contains(out, p))
            out.insert(out.end(), p.bytes().begin(), p.bytes().end());
    };
    if (edits.communities) {
        for (const auto& p : *edits.communities) add(p);
    } else if (a.has(list.code)) {
        for (auto left = a.*list.view; left.size() >= size; left = left.subspan(size)) {
            const auto one = left.first(size);
            const bool goes = std::ranges::any_of(edits.remove_communities, [&](const auto& p) {
                return of_kind(p) && p.matches(one);
            });
            if (!goes) out.insert(out.end(), one.begin(), one.end());
        }
    }
    for (const auto& p : edits.add_communities) add(p);
    auto& bytes = storage.*list.bytes;
    bytes.swap(out);
    a.*list.view = bytes;
    bytes.empty() ? a.unset(list.code) : a.set(list.code);
    route.changed = true;
}

void edit_med(const MedEdit& edit, Attributes& a) {
    constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
    const std::uint32_t before = a.has(Attribute::Med) ? a.med : 0;
    a.set(Attribute::Med);
    switch (edit.kind) {
        case MedEdit::Kind::Set:
            a.med = edit.number;
            return;
        case MedEdit::Kind::Add:
            a.med = before + std::min(edit.number, kMost - before);
            return;
        case MedEdit::Kind::Subtract:
            a.med = before - std::min(edit.number, before);
            return;
        case MedEdit::Kind::Remove:
            a.unset(Attribute::Med);
            return;
    }
}

bool edit_as_path(const TermEdits& edits, PolicyRoute& route, PolicyStorage& storage) {
    if (edits.prepend == 0 && edits.prepend_ases.empty()) return false;
    auto& a = route.attributes;
    const auto put = [&](std::uint32_t as, std::size_t times) {
        storage.scratch.clear();
        prepend(a.as_path, as, times, storage.scratch);
        storage.as_path.swap(storage.scratch);
        a.as_path = storage.as_path;
    };
    for (auto as = edits.prepend_ases.rbegin(); as != edits.prepend_ases.rend(); ++as) put(*as, 1);
    if (edits.prepend != 0) put(route.own_as, edits.prepend);
    a.set(Attribute::AsPath);
    route.changed = true;
    return true;
}

}  // namespace

bool edit(const TermEdits& edits, PolicyRoute& route, PolicyStorage& storage) {
    auto& a = route.attributes;
    if (edits.local_pref) {
        a.set(Attribute::LocalPref);
        a.local_pref = route.local_pref = *edits.local_pref;
        route.changed = true;
    }
    if (edits.med) {
        edit_med(*edits.med, a);
        route.changed = route.med_set = true;
    }
    if (edits.origin) {
        a.origin = static_cast<Origin>(*edits.origin);
        route.changed = true;
    }
    if (edits.weight) {
        a.weight = *edits.weight;
        route.changed = true;
    }
    if (edits.next_hop) {
        route.next_hop_edit = *edits.next_hop;
        if (edits.next_hop->kind == NextHopEdit::Kind::Address)
            route.next_hop = edits.next_hop->address;
        route.changed = true;
    }
    for (const auto kind : {CommunityKind::Standard, CommunityKind::Extended, CommunityKind::Large})
        edit_list(kind, edits, route, storage);
    return edit_as_path(edits, route, storage);
}

}  // namespace torii::bgp
