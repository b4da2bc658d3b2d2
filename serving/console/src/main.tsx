import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/parts.css';
import {render} from 'preact';
import {App} from './app';

const host = document.getElementById('console');
if (host) render(<App />, host);
