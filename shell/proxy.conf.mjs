// `npm start` on one origin with a running demo: the same paths as behind the proxy of a deployment.
const api = process.env.API ?? 'http://localhost:8000';
const streamlit = process.env.STREAMLIT ?? 'http://localhost:8501';

export default {
  '/api': { target: api, pathRewrite: { '^/api': '' } },
  '/app': { target: streamlit, ws: true },
};
