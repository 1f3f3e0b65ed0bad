#pragma once

// Families of metrics, as prometheus-cpp's serializer takes them.

#include "actors/figures.hpp"

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace musetalk::http {

using metric_labels = std::vector<prometheus::ClientMetric::Label>;

/// Grows a list of families.
class metric_list {
public:
  /// Begins a family; what is added belongs to it. A family without metrics is left out.
  void counters(std::string name, std::string help);
  void gauges(std::string name, std::string help);
  void histograms(std::string name, std::string help);

  void add(metric_labels labels, double value);
  void add(metric_labels labels, const actors::bucket_counts& x);

  /// A family of one.
  void counter(std::string name, std::string help, double value);
  void gauge(std::string name, std::string help, double value);

  /// In the text format 0.0.4.
  std::string text() const;

private:
  void begin(std::string name, std::string help, prometheus::MetricType type);

  std::vector<prometheus::MetricFamily> families_;
};

} // namespace musetalk::http
