#include "app/confidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace millrace::app {
namespace {

// Mann and Whitney's U as a share: mean rank of those acted on.
double auc_of(std::span<const Forecast> forecasts) {
  std::vector<Forecast> sorted(forecasts.begin(), forecasts.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Forecast& a, const Forecast& b) { return a.probability < b.probability; });
  double ranks = 0, acted = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i;
    double here = 0;
    while (end < sorted.size() && sorted[end].probability == sorted[i].probability) {
      here += sorted[end++].acted ? 1 : 0;
    }
    ranks += here * (static_cast<double>(i + 1) + static_cast<double>(end)) / 2;
    acted += here;
    i = end;
  }
  const double others = static_cast<double>(sorted.size()) - acted;
  if (acted == 0 || others == 0) return 0.5;
  return (ranks - acted * (acted + 1) / 2) / (acted * others);
}

constexpr int kSide = 400, kMargin = 50;
double x_of(double p) { return kMargin + p * kSide; }
double y_of(double p) { return kMargin + (1 - p) * kSide; }

template <class... Values>
void add(std::string& out, const char* format, Values... values) {
  std::array<char, 256> line{};
  std::snprintf(line.data(), line.size(), format, values...);
  out += line.data();
}

}  // namespace

Confidence measure_confidence(std::span<const Forecast> forecasts) {
  Confidence out;
  out.items = forecasts.size();
  if (forecasts.empty()) return out;
  const auto n = static_cast<double>(forecasts.size());
  std::vector<Confidence::Bin> bins(kConfidenceBins);
  for (const auto& [p, acted] : forecasts) {
    const double outcome = acted ? 1 : 0;
    out.rate += outcome / n;
    out.brier += (p - outcome) * (p - outcome) / n;
    auto& bin = bins[std::min(static_cast<std::size_t>(p * kConfidenceBins), kConfidenceBins - 1)];
    bin.predicted += p;
    bin.acted += outcome;
    ++bin.items;
  }
  for (auto& bin : bins) {
    if (bin.items == 0) continue;
    out.ece += std::abs(bin.predicted - bin.acted) / n;
    bin.predicted /= static_cast<double>(bin.items);
    bin.acted /= static_cast<double>(bin.items);
    out.bins.push_back(bin);
  }
  const double constant = out.rate * (1 - out.rate);
  out.brier_skill = constant > 0 ? 1 - out.brier / constant : 0;
  out.auc = auc_of(forecasts);
  return out;
}

std::string reliability_svg(const Confidence& confidence, const std::string& title) {
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"500\" height=\"520\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"500\" height=\"520\" fill=\"white\"/>\n"
      "<text x=\"250\" y=\"24\" text-anchor=\"middle\">" +
      title + "</text>\n";
  for (int i = 0; i <= 10; i += 2) {
    const double p = i / 10.0;
    add(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">%.1f</text>\n", x_of(p),
        y_of(0) + 18, p);
    add(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">%.1f</text>\n", x_of(0) - 6,
        y_of(p) + 4, p);
  }
  add(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>\n",
      kMargin, kMargin, kSide, kSide);
  add(out,
      "<line x1=\"%.0f\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\" stroke=\"#999\" "
      "stroke-dasharray=\"4\"/>\n",
      x_of(0), y_of(0), x_of(1), y_of(1));
  for (const auto& bin : confidence.bins) {
    const double share = static_cast<double>(bin.items) / static_cast<double>(confidence.items);
    add(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"%.1f\" fill=\"#dde6f2\"/>\n",
        x_of(bin.predicted) - 6, y_of(share), share * kSide);
    add(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#1f5fa8\"/>\n", x_of(bin.predicted),
        y_of(bin.acted));
  }
  out +=
      "<text x=\"250\" y=\"490\" text-anchor=\"middle\">confidence_score</text>\n"
      "<text x=\"16\" y=\"250\" text-anchor=\"middle\" transform=\"rotate(-90 16 250)\">"
      "acted on within 30 minutes (bars: share of the items)</text>\n";
  add(out,
      "<text x=\"250\" y=\"510\" text-anchor=\"middle\">%zu items, ECE %.4f, Brier skill "
      "%.4f, AUC %.4f</text>\n",
      confidence.items, confidence.ece, confidence.brier_skill, confidence.auc);
  return out + "</svg>\n";
}

void Forecasts::shown(std::uint32_t user, UnixMillis time, std::span<const std::uint32_t> items,
                      std::span<const double> probabilities) {
  auto& open = open_[user];
  while (!open.empty() && open.front().until <= time) open.pop_front();
  for (std::size_t i = 0; i < items.size(); ++i) {
    open.push_back({time + horizon_ms_, items[i], all_.size()});
    all_.push_back({probabilities[i], false});
  }
}

void Forecasts::acted(std::uint32_t user, std::uint32_t item, UnixMillis time) {
  for (const Open& one : open_[user]) {
    if (one.item == item && time < one.until) all_[one.place].acted = true;
  }
}

}  // namespace millrace::app
