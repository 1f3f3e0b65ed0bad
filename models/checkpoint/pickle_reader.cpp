#include "models/checkpoint/pickle_reader.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/byte_reader.hpp"
#include "models/checkpoint/pickle_globals.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_map>

namespace musetalk::models {

namespace {

// PyTorch's own files stay far below each of these.
constexpr size_t max_pickle_bytes = size_t{64} << 20;
constexpr size_t max_values = size_t{1} << 20;
constexpr size_t max_stack = size_t{1} << 20;
constexpr size_t max_marks = 256;
constexpr size_t max_name_bytes = 512;
constexpr uint8_t max_protocol = 5;

[[noreturn]] void refuse(const std::string& why) {
  throw error{errc::models_invalid, "damaged or foreign pickle: " + why};
}

/// Opcodes by the names of pickletools.
enum class op : uint8_t {
  mark = '(',
  stop = '.',
  pop = '0',
  pop_mark = '1',
  dup = '2',
  binpersid = 'Q',
  reduce = 'R',
  build = 'b',
  global = 'c',
  append = 'a',
  appends = 'e',
  setitem = 's',
  setitems = 'u',
  empty_dict = '}',
  empty_list = ']',
  empty_tuple = ')',
  tuple = 't',
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  none = 'N',
  newtrue = 0x88,
  newfalse = 0x89,
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  long1 = 0x8A,
  long4 = 0x8B,
  binfloat = 'G',
  binunicode = 'X',
  short_binunicode = 0x8C,
  binunicode8 = 0x8D,
  binstring = 'T',
  short_binstring = 'U',
  binbytes = 'B',
  short_binbytes = 'C',
  binbytes8 = 0x8E,
  bytearray8 = 0x96,
  empty_set = 0x8F,
  additems = 0x90,
  frozenset = 0x91,
  newobj = 0x81,
  newobj_ex = 0x92,
  stack_global = 0x93,
  binput = 'q',
  long_binput = 'r',
  memoize = 0x94,
  binget = 'h',
  long_binget = 'j',
  proto = 0x80,
  frame = 0x95,
};

class machine {
public:
  explicit machine(std::span<const std::byte> bytes)
      : in_(bytes.first(std::min(bytes.size(), max_pickle_bytes))) {
    // nop
  }

  pickle run() {
    while (true) {
      auto code = static_cast<op>(in_.take<uint8_t>());
      if (code == op::stop)
        break;
      step(code);
    }
    out_.root = pop();
    out_.bytes_read = in_.position();
    return std::move(out_);
  }

private:
  // -- stack -------------------------------------------------------------------

  pickle_id add(pickle_value x) {
    out_.values.push_back(x);
    return static_cast<pickle_id>(out_.values.size() - 1);
  }

  void push(pickle_id id) {
    if (out_.values.size() > max_values)
      refuse("more than " + std::to_string(max_values) + " values");
    if (stack_.size() >= max_stack)
      refuse("its stack grows beyond " + std::to_string(max_stack));
    stack_.push_back(id);
  }

  void push(pickle_value x) { push(add(x)); }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  pickle_id top() const {
    if (stack_.size() <= floor())
      refuse("its stack runs empty");
    return stack_.back();
  }

  pickle_id pop() {
    auto id = top();
    stack_.pop_back();
    return id;
  }

  std::vector<pickle_id> pop_to_mark() {
    if (marks_.empty())
      refuse("a mark is missing");
    auto first = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    auto items = std::vector<pickle_id>(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  std::vector<pickle_id> pop_count(size_t n) {
    auto items = std::vector<pickle_id>(n);
    for (auto i = n; i-- > 0;)
      items[i] = pop();
    return items;
  }

  // -- makers ------------------------------------------------------------------

  pickle_id make(pickle_kind kind, std::vector<pickle_id> items = {}) {
    out_.lists.push_back(std::move(items));
    auto x = pickle_value{kind};
    x.index = static_cast<uint32_t>(out_.lists.size() - 1);
    return add(x);
  }

  void push_integer(int64_t i, pickle_kind kind = pickle_kind::integer) {
    auto x = pickle_value{kind};
    x.integer = i;
    push(x);
  }

  void push_text(pickle_kind kind, uint64_t bytes) {
    auto x = pickle_value{kind};
    x.text = in_.take_text(bytes);
    push(x);
  }

  /// Little-endian two's complement of `bytes` bytes.
  void push_long(uint64_t bytes) {
    auto x = pickle_value{pickle_kind::integer};
    x.text = in_.take_text(bytes);
    if (bytes > sizeof(int64_t)) {
      x.kind = pickle_kind::big_integer;
    } else if (bytes > 0) {
      x.integer = (x.text.back() & 0x80) ? -1 : 0;
      std::memcpy(&x.integer, x.text.data(), bytes);
    }
    push(x);
  }

  void push_global(std::string_view module, std::string_view name) {
    if (module.size() + name.size() > max_name_bytes)
      refuse("a global with a name of " + std::to_string(module.size() + name.size()) + " bytes");
    auto x = pickle_value{pickle_kind::global};
    x.text = out_.names.emplace_back(std::string{module} + "." + std::string{name});
    if (is_forbidden(module, name))
      refuse("it names " + printable(x.text) + ", which no weight file needs");
    push(x);
  }

  // -- containers --------------------------------------------------------------

  void extend(const std::vector<pickle_id>& items) {
    auto& x = out_.values[top()];
    if (x.kind == pickle_kind::opaque)
      return;
    if (x.kind != pickle_kind::list)
      refuse("it appends to something that is no list");
    auto& list = out_.lists[x.index];
    list.insert(list.end(), items.begin(), items.end());
  }

  void set_items(const std::vector<pickle_id>& items) {
    auto& x = out_.values[top()];
    if (items.size() % 2 != 0)
      refuse("a key without a value");
    if (x.kind == pickle_kind::opaque)
      return;
    if (x.kind != pickle_kind::dict)
      refuse("it sets a key of something that is no dict");
    auto& dict = out_.lists[x.index];
    dict.insert(dict.end(), items.begin(), items.end());
  }

  // -- objects -----------------------------------------------------------------

  std::string_view global_name(pickle_id id) const {
    const auto& x = out_.values[id];
    if (x.kind != pickle_kind::global)
      refuse("it calls something that is no global");
    return x.text;
  }

  void call() {
    auto arguments = out_.values[pop()];
    auto name = global_name(pop());
    if (arguments.kind != pickle_kind::tuple)
      refuse("a call without an argument tuple");
    push(call_global(out_, name, out_.lists[arguments.index]));
  }

  void new_object() {
    pop(); // its arguments
    auto name = global_name(pop());
    if (name == "collections.OrderedDict")
      push(make(pickle_kind::dict));
    else
      push(pickle_value{pickle_kind::opaque});
  }

  /// `obj.__setstate__(state)`: only numpy's dtype has a state that matters here.
  void build() {
    auto state = out_.values[pop()];
    const auto& x = out_.values[top()];
    if (x.kind == pickle_kind::dtype)
      check_dtype_state(out_, state);
  }

  void persistent_id() {
    auto id = out_.values[pop()];
    push(storage_of(out_, id));
  }

  // -- memo --------------------------------------------------------------------

  void put(uint32_t slot) { memo_[slot] = top(); }

  void get(uint32_t slot) {
    auto it = memo_.find(slot);
    if (it == memo_.end())
      refuse("it fetches memo slot " + std::to_string(slot) + ", which was never filled");
    push(it->second);
  }

  void step(op code) {
    switch (code) {
    case op::proto:
      if (auto version = in_.take<uint8_t>(); version < 2 || version > max_protocol)
        refuse("protocol " + std::to_string(version) + " (2 to 5 are known)");
      return;
    case op::frame:
      if (in_.take<uint64_t>() > in_.left())
        refuse("a frame is longer than the file");
      return;
    case op::mark:
      if (marks_.size() >= max_marks)
        refuse("nested deeper than " + std::to_string(max_marks));
      return marks_.push_back(stack_.size());
    case op::pop:
      // POP also takes off a mark, as in CPython.
      if (!marks_.empty() && stack_.size() == marks_.back())
        return marks_.pop_back();
      return void(pop());
    case op::pop_mark:
      return void(pop_to_mark());
    case op::dup:
      return push(top());
    case op::none:
      return push(pickle_value{});
    case op::newtrue:
      return push_integer(1, pickle_kind::boolean);
    case op::newfalse:
      return push_integer(0, pickle_kind::boolean);
    case op::binint:
      return push_integer(in_.take<int32_t>());
    case op::binint1:
      return push_integer(in_.take<uint8_t>());
    case op::binint2:
      return push_integer(in_.take<uint16_t>());
    case op::long1:
      return push_long(in_.take<uint8_t>());
    case op::long4:
      return push_long(in_.take<uint32_t>());
    case op::binfloat: {
      auto x = pickle_value{pickle_kind::real};
      x.real = std::bit_cast<double>(__builtin_bswap64(in_.take<uint64_t>()));
      return push(x);
    }
    case op::binunicode:
    case op::binstring:
      return push_text(pickle_kind::text, in_.take<uint32_t>());
    case op::short_binunicode:
    case op::short_binstring:
      return push_text(pickle_kind::text, in_.take<uint8_t>());
    case op::binunicode8:
      return push_text(pickle_kind::text, in_.take<uint64_t>());
    case op::binbytes:
      return push_text(pickle_kind::bytes, in_.take<uint32_t>());
    case op::short_binbytes:
      return push_text(pickle_kind::bytes, in_.take<uint8_t>());
    case op::binbytes8:
    case op::bytearray8:
      return push_text(pickle_kind::bytes, in_.take<uint64_t>());
    case op::empty_dict:
      return push(make(pickle_kind::dict));
    case op::empty_list:
      return push(make(pickle_kind::list));
    case op::empty_tuple:
      return push(make(pickle_kind::tuple));
    case op::tuple:
      return push(make(pickle_kind::tuple, pop_to_mark()));
    case op::tuple1:
      return push(make(pickle_kind::tuple, pop_count(1)));
    case op::tuple2:
      return push(make(pickle_kind::tuple, pop_count(2)));
    case op::tuple3:
      return push(make(pickle_kind::tuple, pop_count(3)));
    case op::append:
      return extend(pop_count(1));
    case op::appends:
      return extend(pop_to_mark());
    case op::setitem:
      return set_items(pop_count(2));
    case op::setitems:
      return set_items(pop_to_mark());
    case op::empty_set:
      return push(pickle_value{pickle_kind::opaque});
    case op::additems:
      pop_to_mark();
      return void(top());
    case op::frozenset:
      pop_to_mark();
      return push(pickle_value{pickle_kind::opaque});
    case op::global: {
      auto module = in_.take_line();
      return push_global(module, in_.take_line());
    }
    case op::stack_global: {
      auto name = out_.values[pop()], module = out_.values[pop()];
      if (name.kind != pickle_kind::text || module.kind != pickle_kind::text)
        refuse("a global without a name");
      return push_global(module.text, name.text);
    }
    case op::reduce:
      return call();
    case op::newobj_ex:
      pop();
      return new_object();
    case op::newobj:
      return new_object();
    case op::build:
      return build();
    case op::binpersid:
      return persistent_id();
    case op::binput:
      return put(in_.take<uint8_t>());
    case op::long_binput:
      return put(in_.take<uint32_t>());
    case op::memoize:
      return put(static_cast<uint32_t>(memo_.size()));
    case op::binget:
      return get(in_.take<uint8_t>());
    case op::long_binget:
      return get(in_.take<uint32_t>());
    case op::stop:
      break;
    }
    refuse("unknown opcode " + std::to_string(static_cast<int>(code)) + " at byte " +
           std::to_string(in_.position() - 1));
  }

  byte_reader in_;
  pickle out_;
  std::vector<pickle_id> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, pickle_id> memo_;
};

} // namespace

const pickle_value* pickle::find(const pickle_value& dict, std::string_view key) const {
  if (dict.kind != pickle_kind::dict)
    return nullptr;
  // The last of equal keys wins, as in Python.
  const auto& entries = items(dict);
  for (auto i = entries.size(); i >= 2; i -= 2)
    if (const auto& k = values[entries[i - 2]]; k.kind == pickle_kind::text && k.text == key)
      return &values[entries[i - 1]];
  return nullptr;
}

pickle read_pickle(std::span<const std::byte> bytes) {
  return machine{bytes}.run();
}

} // namespace musetalk::models
