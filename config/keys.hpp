#pragma once

#include "config/key_table.hpp"
#include "config/model.hpp"

// Which block has which keys. Loading, printing, the check for unknown keys, the
// plan's costs and reference.md all come from these tables.
namespace torii::config {

template <class T>
struct Of {};

const KeyTable& keys(Of<Router>);
const KeyTable& keys(Of<Dataplane>);
const KeyTable& keys(Of<Port>);
const KeyTable& keys(Of<StaticRoute>);
const KeyTable& keys(Of<StaticNeighbor>);
const KeyTable& keys(Of<Tls>);
const KeyTable& keys(Of<Token>);
const KeyTable& keys(Of<Management>);
const KeyTable& keys(Of<Log>);
const KeyTable& keys(Of<Readiness>);
const KeyTable& keys(Of<Model>);

const KeyTable& keys(Of<PeerGroup>);
const KeyTable& keys(Of<ListenRange>);
const KeyTable& keys(Of<Neighbor>);
const KeyTable& keys(Of<Guard>);
const KeyTable& keys(Of<Aggregate>);
const KeyTable& keys(Of<Mrt>);
const KeyTable& keys(Of<Bgp>);

const KeyTable& keys(Of<MaxPrefix>);
const KeyTable& keys(Of<Liveness>);
const KeyTable& keys(Of<Bfd>);
const KeyTable& keys(Of<PeerSettings>);

const KeyTable& keys(Of<PrefixList>);
const KeyTable& keys(Of<AsPathList>);
const KeyTable& keys(Of<CommunityList>);
const KeyTable& keys(Of<TermMatch>);
const KeyTable& keys(Of<TermEdits>);
const KeyTable& keys(Of<PolicyTerm>);
const KeyTable& keys(Of<Policy>);

template <class T>
const KeyTable& keys_of() {
    return keys(Of<T>{});
}

}  // namespace torii::config
