#pragma once

#include <memory>

#include "http/exchange.hpp"
#include "http/gate/turn.hpp"

namespace musetalk::http::gate {

class connection;

/// The exchange of one turn of a connection.
exchange_ptr make_exchange(std::shared_ptr<connection> from, std::shared_ptr<turn> x);

} // namespace musetalk::http::gate
